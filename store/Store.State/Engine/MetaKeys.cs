using System.Buffers.Binary;

namespace Store.State;

/// <summary>The keys of <see cref="Table.Meta"/>. The first byte names the kind; they stand on disk and never change their meaning.</summary>
public static class MetaKeys
{
    /// <summary>The row of <c>AppliedState</c>: applied index and term, revisions, space, hash.</summary>
    public static readonly byte[] Applied = [1];

    /// <summary>How far compaction has physically deleted; the only row that members may have differently.</summary>
    public static readonly byte[] CompactionProgress = [2];

    /// <summary>The cluster version, in ASCII.</summary>
    public static readonly byte[] ClusterVersion = [3];

    /// <summary>The version that a downgrade under way goes to, in ASCII; no row when there is none.</summary>
    public static readonly byte[] DowngradeTarget = [8];

    /// <summary>Whether authentication is on, and the revision of users and roles.</summary>
    public static readonly byte[] Auth = [4];

    const byte LeaseKind = 16, MemberKind = 17, RemovedKind = 18, AlarmKind = 19, UserKind = 20, RoleKind = 21;

    public static readonly byte[] Leases = [LeaseKind];
    public static readonly byte[] Members = [MemberKind];
    public static readonly byte[] RemovedMembers = [RemovedKind];
    public static readonly byte[] Alarms = [AlarmKind];
    public static readonly byte[] Users = [UserKind];
    public static readonly byte[] Roles = [RoleKind];

    /// <summary>Lease ids sort as unsigned numbers here.</summary>
    public static byte[] Lease(LeaseId id) => Numbered(LeaseKind, (ulong)id.Value);

    public static byte[] Member(Raft.NodeId id) => Numbered(MemberKind, id.Value);

    public static byte[] RemovedMember(Raft.NodeId id) => Numbered(RemovedKind, id.Value);

    public static byte[] Alarm(Raft.NodeId member, int type) => [.. Numbered(AlarmKind, member.Value), (byte)type];

    public static byte[] User(string name) => [UserKind, .. System.Text.Encoding.UTF8.GetBytes(name)];

    public static byte[] Role(string name) => [RoleKind, .. System.Text.Encoding.UTF8.GetBytes(name)];

    /// <summary>The end of the rows that begin with the kind.</summary>
    public static byte[] EndOf(byte[] kind) => [(byte)(kind[0] + 1)];

    /// <summary>The number in a key of kind and number.</summary>
    public static ulong NumberIn(byte[] key) => BinaryPrimitives.ReadUInt64BigEndian(key.AsSpan(1));

    static byte[] Numbered(byte kind, ulong number)
    {
        var key = new byte[9];
        key[0] = kind;
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(1), number);
        return key;
    }
}
