using System.Buffers.Binary;

namespace Store.State;

/// <summary>Names of etcd's buckets and of the single rows in them (etcd server/storage/schema), and its row keys.</summary>
static class BackendKeys
{
    public const string Alarm = "alarm", Auth = "auth", AuthRoles = "authRoles", AuthUsers = "authUsers", Cluster = "cluster", Key = "key", Lease = "lease",
        Members = "members", MembersRemoved = "members_removed", Meta = "meta";

    public static ReadOnlySpan<byte> ConsistentIndex => "consistent_index"u8;
    public static ReadOnlySpan<byte> Term => "term"u8;
    public static ReadOnlySpan<byte> ConfState => "confState"u8;
    public static ReadOnlySpan<byte> StorageVersion => "storageVersion"u8;
    public static ReadOnlySpan<byte> ScheduledCompact => "scheduledCompactRev"u8;
    public static ReadOnlySpan<byte> FinishedCompact => "finishedCompactRev"u8;
    public static ReadOnlySpan<byte> ClusterVersion => "clusterVersion"u8;
    public static ReadOnlySpan<byte> AuthEnabled => "authEnabled"u8;
    public static ReadOnlySpan<byte> AuthRevision => "authRevision"u8;

    const int RevisionBytes = 17;
    const byte TombstoneMark = (byte)'t';

    /// <summary>Main, an underscore, sub, and a 't' behind those of tombstones.</summary>
    public static byte[] Revision(RowId id, bool tombstone = false)
    {
        var key = new byte[tombstone ? RevisionBytes + 1 : RevisionBytes];
        BinaryPrimitives.WriteInt64BigEndian(key, id.Main.Value);
        key[8] = (byte)'_';
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(9), id.Sub);
        if (tombstone) key[RevisionBytes] = TombstoneMark;
        return key;
    }

    public static (RowId Id, bool Tombstone) ReadRevision(ReadOnlySpan<byte> key)
    {
        var tombstone = key.Length == RevisionBytes + 1 && key[RevisionBytes] == TombstoneMark;
        if ((key.Length != RevisionBytes && !tombstone) || key[8] != (byte)'_') throw Broken(key);
        var (main, sub) = (BinaryPrimitives.ReadInt64BigEndian(key), BinaryPrimitives.ReadInt64BigEndian(key[9..]));
        return main > 0 && sub is >= 0 and <= int.MaxValue ? (new(new(main), (int)sub), tombstone) : throw Broken(key);
    }

    static BackendFormatException Broken(ReadOnlySpan<byte> key) => new($"'{Convert.ToHexString(key[..Math.Min(key.Length, 32)])}' is no revision");
}
