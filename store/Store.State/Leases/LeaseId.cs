namespace Store.State;

/// <summary>A lease; zero stands for "no lease". Printed in hexadecimal, as etcdctl prints it.</summary>
public readonly record struct LeaseId(long Value) : IComparable<LeaseId>
{
    public static readonly LeaseId None;

    public bool IsNone => Value == 0;

    public int CompareTo(LeaseId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString("x");
}
