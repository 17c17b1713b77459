using System.Buffers.Binary;
using Google.Protobuf;
using Store.Raft;

namespace Store.State;

/// <summary>How a restored state differs from what stands in the snapshot.</summary>
/// <param name="BumpRevision">Added to the newest revision.</param>
/// <param name="MarkCompacted">Everything up to the new revision counts as compacted.</param>
public sealed record RestoreOptions(long BumpRevision, bool MarkCompacted)
{
    /// <summary>What a key's lease gets that was granted and gone again between two looks at the leases: its keys go soon, as they did then.</summary>
    public const long LostLeaseSeconds = 60;

    /// <summary>
    /// The lease bucket of a moment before, for leases that keys still name and that are in the bucket no more; null when rows and leases are of one moment, and a
    /// key whose lease is missing stays for ever.
    /// </summary>
    public IReadOnlyList<BackendPair>? FormerLeases { get; init; }

    /// <summary>A revision that was handed out already, by the cluster that goes back: the snapshot's is raised to it before <see cref="BumpRevision"/> is added. Twice back to the same
    /// snapshot would else hand out the same revisions twice.</summary>
    public long AboveRevision { get; init; }

    /// <summary>
    /// A cluster that goes back in time must not hand out revisions twice: clients that saw later ones would wait for ever, or take other changes for those that
    /// they know. So the revision jumps ahead of everything that could have been written since the snapshot (a billion: 1,500 writes a second for a week),
    /// and is marked as compacted, which makes every watcher begin anew.
    /// </summary>
    public static readonly RestoreOptions Default = new(1_000_000_000, MarkCompacted: true);
}

/// <param name="Revision">Of the restored state.</param>
/// <param name="SnapshotRevision">As the snapshot had it.</param>
/// <param name="DroppedAlarms">Alarms of members that are no more are not taken over.</param>
public readonly record struct RestoredState(Revision Revision, Revision SnapshotRevision, long Rows, int Leases, int DroppedAlarms);

/// <summary>
/// Makes our state of an etcd backend's buckets: rows with what each supersedes, leases, and the numbers of the state. Members are left out: a new cluster has
/// its own. The same buckets and options give the same rows and hash everywhere. Throws <see cref="BackendFormatException"/>.
/// </summary>
public sealed class StateRestore
{
    const long BatchBytes = 4 << 20;

    readonly IKeyValueEngine engine;
    readonly AppliedBatch batch = new();
    readonly Dictionary<byte[], Newest> keys = new(KeyBytes.Instance);
    long compacted;
    long latest = AppliedState.New.Revision;
    long rows;
    SpaceUsage space;

    StateRestore(IKeyValueEngine engine) => this.engine = engine;

    /// <param name="read">The pairs of a bucket in order; none when there is no such bucket.</param>
    /// <param name="engine">Empty.</param>
    public static RestoredState Run(Func<string, IEnumerable<BackendPair>> read, RestoreOptions options, IKeyValueEngine engine)
    {
        var restore = new StateRestore(engine) { compacted = CompactedRevision(read(BackendKeys.Meta)) };
        foreach (var (key, value) in read(BackendKeys.Key)) restore.Add(key.Span, value.Span, options);
        var leases = restore.AddLeases(read(BackendKeys.Lease), options.FormerLeases);
        AuthRestore.Run(read, restore.batch);
        return restore.Finish(options) with { Leases = leases, DroppedAlarms = read(BackendKeys.Alarm).Count() };
    }

    /// <summary>-1 for none. A compaction that was asked for counts: etcd, too, finishes it before it serves.</summary>
    static long CompactedRevision(IEnumerable<BackendPair> meta)
    {
        var revision = AppliedState.New.Compacted;
        foreach (var (key, value) in meta)
        {
            if (key.Span.SequenceEqual(BackendKeys.ScheduledCompact) || key.Span.SequenceEqual(BackendKeys.FinishedCompact))
                revision = Math.Max(revision, BackendKeys.ReadRevision(value.Span).Id.Main.Value);
        }
        return revision;
    }

    void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, RestoreOptions options)
    {
        var (id, tombstone) = BackendKeys.ReadRevision(key);
        RequireNoGap(id, options);
        latest = id.Main.Value;
        // What etcdutl leaves behind for a bumped revision: no change of anything.
        if (value.IsEmpty) return;
        var fields = Parse(id, value);
        if (tombstone) fields = new() { Key = fields.Key, Mod = id.Main.Value };
        else if (fields.Mod != id.Main.Value) throw new BackendFormatException($"the row of revision {id.Main} says that it is of {fields.Mod}");
        Put(id, fields, tombstone);
        rows++;
        if (batch.Writes.SizeBytes > BatchBytes) Write();
    }

    /// <summary>Every revision above the compacted one has its first change in the backend. Without it a later compaction could not be counted.</summary>
    void RequireNoGap(RowId id, RestoreOptions options)
    {
        var previous = Math.Max(latest, compacted);
        if (options.MarkCompacted || id.Main.Value <= compacted || id.Main.Value == latest) return;
        if (id.Main.Value > previous + 1 || id.Sub != 0)
            throw new BackendFormatException($"the rows between revision {previous} and {id.Main} are missing; restore with --mark-compacted and a bumped revision");
    }

    static KeyValueFields Parse(RowId id, ReadOnlySpan<byte> value)
    {
        try
        {
            var fields = KeyValueCodec.Read(value);
            if (!fields.Key.IsEmpty) return fields;
        }
        catch (InvariantException)
        {
            // Told below.
        }
        throw new BackendFormatException($"the row of revision {id.Main} holds no key and value");
    }

    void Put(RowId id, in KeyValueFields fields, bool tombstone)
    {
        var cost = tombstone ? 0 : SpaceUsage.CostOf(fields.Key.Length, fields.Value.Length);
        var lookup = keys.GetAlternateLookup<ReadOnlySpan<byte>>();
        lookup.TryGetValue(fields.Key, out var previous);
        var row = Row.Encode(fields, tombstone, previous.Id, space.SupersededBytes);
        lookup[fields.Key] = tombstone ? default : new(id, cost, fields.Lease);
        space = space with { PutBytes = space.PutBytes + cost, SupersededBytes = space.SupersededBytes + previous.Cost };
        if (id.Main.Value <= compacted) space = space with { CompactedBytes = space.SupersededBytes };
        batch.Put(Table.Revisions, Row.EngineKey(id), row);
    }

    int AddLeases(IEnumerable<BackendPair> pairs, IReadOnlyList<BackendPair>? former)
    {
        var leases = pairs.Select(pair => ReadLease(pair.Key.Span, pair.Value.Span)).ToDictionary(lease => lease.Id);
        if (former is not null)
        {
            var before = former.Select(pair => ReadLease(pair.Key.Span, pair.Value.Span)).ToDictionary(lease => lease.Id);
            foreach (var id in keys.Values.Where(newest => newest.Lease != 0).Select(newest => new LeaseId(newest.Lease)).Where(id => !leases.ContainsKey(id)).ToHashSet())
                leases[id] = before.GetValueOrDefault(id) ?? new(id, RestoreOptions.LostLeaseSeconds, 0);
        }
        foreach (var lease in leases.Values.OrderBy(lease => lease.Id.Value)) LeaseTable.Save(batch, lease);
        return leases.Count;
    }

    static LeaseInfo ReadLease(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.Length != sizeof(long)) throw new BackendFormatException($"'{Convert.ToHexString(key)}' is no lease");
        long ttl = 0, remaining = 0;
        try
        {
            using var input = new CodedInputStream(value.ToArray());
            while (input.ReadTag() is not 0 and var tag)
            {
                switch (WireFormat.GetTagFieldNumber(tag))
                {
                    case 2: ttl = input.ReadInt64(); break;
                    case 3: remaining = input.ReadInt64(); break;
                    default: input.SkipLastField(); break;
                }
            }
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new BackendFormatException($"lease {Convert.ToHexString(key)} cannot be read: {e.Message}");
        }
        return new(new(BinaryPrimitives.ReadInt64BigEndian(key)), ttl, remaining);
    }

    RestoredState Finish(RestoreOptions options)
    {
        var snapshot = Math.Max(latest, compacted);
        var floor = Math.Max(snapshot, options.AboveRevision);
        if (options.BumpRevision > long.MaxValue / 2 - floor) throw new BackendFormatException($"revision {floor} cannot be raised by {options.BumpRevision}");
        var revision = floor + options.BumpRevision;
        if (options.MarkCompacted)
        {
            compacted = revision;
            space = space with { CompactedBytes = space.SupersededBytes };
        }
        batch.Writes.Put(Table.Meta, MetaKeys.Applied, (AppliedState.New with { Revision = revision, Compacted = compacted, Space = space, Hash = batch.Hash }).Encode(StateFormat.First));
        Write();
        return new(new(revision), new(snapshot), rows, 0, 0);
    }

    void Write()
    {
        engine.Write(batch.Writes);
        batch.Writes.Clear();
    }

    /// <param name="Id">Of the newest put; none when the key is deleted.</param>
    readonly record struct Newest(RowId Id, int Cost, long Lease);

    sealed class KeyBytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly KeyBytes Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = 0xcbf2_9ce4_8422_2325;
            foreach (var b in alternate) hash = (hash ^ b) * 0x100_0000_01b3;
            return (int)(hash ^ (hash >> 32));
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
