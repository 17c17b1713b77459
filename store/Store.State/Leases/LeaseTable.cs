using System.Buffers.Binary;
using Store.Raft;

namespace Store.State;

/// <summary>
/// The replicated part of leases (contract 1.7): which there are, with which time to live, and which keys hang on them. Attachments are not stored;
/// they follow from the keys.
/// </summary>
sealed class LeaseTable
{
    const int RowBytes = 17;
    const byte Format = 1;

    readonly AppliedBatch batch;
    readonly SortedDictionary<LeaseId, LeaseInfo> leases = [];

    public LeaseTable(AppliedBatch batch) => this.batch = batch;

    public int Count => leases.Count;

    /// <summary>In order of their ids.</summary>
    public IEnumerable<LeaseInfo> All => leases.Values;

    public bool Contains(LeaseId id) => leases.ContainsKey(id);

    public LeaseInfo? Find(LeaseId id) => leases.GetValueOrDefault(id);

    public void Restore(IKeyValueEngine engine)
    {
        foreach (var lease in Read(engine.Scan(Table.Meta, MetaKeys.Leases, MetaKeys.EndOf(MetaKeys.Leases)))) leases.Add(lease.Id, lease);
    }

    /// <summary>The leases of these rows, without their keys.</summary>
    public static IEnumerable<LeaseInfo> Read(IEnumerable<EngineRow> rows)
    {
        foreach (var (key, value) in rows)
        {
            if (value.Length == 0 || value[0] != Format) throw new StateFormatException(value.Length == 0 ? (byte)0 : value[0], Format);
            Invariant.Require(value.Length == RowBytes);
            yield return new(new((long)MetaKeys.NumberIn(key)), BinaryPrimitives.ReadInt64BigEndian(value.AsSpan(1)), BinaryPrimitives.ReadInt64BigEndian(value.AsSpan(9)));
        }
    }

    /// <summary>LeaseExists.</summary>
    public StoreError Grant(LeaseId id, long grantedSeconds)
    {
        var lease = new LeaseInfo(id, grantedSeconds, remainingSeconds: 0);
        if (!leases.TryAdd(id, lease)) return StoreError.LeaseExists;
        Save(lease);
        return StoreError.None;
    }

    public void Remove(LeaseId id)
    {
        leases.Remove(id);
        batch.Delete(Table.Meta, MetaKeys.Lease(id));
    }

    /// <summary>Unknown leases were revoked meanwhile.</summary>
    public void Checkpoint(LeaseId id, long remainingSeconds)
    {
        if (Find(id) is not { } lease || lease.RemainingSeconds == remainingSeconds) return;
        lease.RemainingSeconds = remainingSeconds;
        Save(lease);
    }

    public void Attach(LeaseId id, byte[] key) => Find(id)?.Attach(key);

    public void Detach(LeaseId id, byte[] key) => Find(id)?.Detach(key);

    void Save(LeaseInfo lease) => Save(batch, lease);

    public static void Save(AppliedBatch batch, LeaseInfo lease)
    {
        var row = new byte[RowBytes];
        row[0] = Format;
        BinaryPrimitives.WriteInt64BigEndian(row.AsSpan(1), lease.GrantedSeconds);
        BinaryPrimitives.WriteInt64BigEndian(row.AsSpan(9), lease.RemainingSeconds);
        batch.Put(Table.Meta, MetaKeys.Lease(lease.Id), row);
    }
}
