namespace Store.Raft;

/// <summary>A member of the cluster. Never zero for a member: zero stands for "nobody". Printed in hexadecimal, as etcd prints member ids.</summary>
public readonly record struct NodeId(ulong Value) : IComparable<NodeId>
{
    public static readonly NodeId None;

    public bool IsNone => Value == 0;

    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString("x");
}
