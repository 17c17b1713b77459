using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.State;

public sealed record StateOptions
{
    /// <summary>Newest encoded values are kept in memory up to this many bytes; the rest is read from the engine.</summary>
    public long ValueCacheBytes { get; init; } = 40 << 20;

    /// <summary>The newest events are kept in memory for watchers up to this many bytes.</summary>
    public long EventTailBytes { get; init; } = 8 << 20;

    /// <summary>Quota for live bytes; zero or less: none.</summary>
    public long QuotaBytes { get; init; } = 2L << 30;

    public int TxnOperationsMax { get; init; } = 128;

    /// <summary>Floor for lease TTLs in seconds: 1.5 election timeouts, rounded up (contract 1.7).</summary>
    public long LeaseTtlMinSeconds { get; init; } = 2;
}

/// <summary>
/// The replicated state: applies committed entries in order and publishes immutable views of the result. Deterministic: the same entries give the
/// same rows, answers and hashes on every member, whatever their options. One caller at a time; views may be read by anybody.
/// </summary>
public sealed partial class StateMachine
{
    readonly IKeyValueEngine engine;
    readonly StateOptions options;
    readonly PublishedState published;
    readonly AppliedBatch batch = new();
    readonly MvccStore store;
    readonly Compactor compactor;
    readonly LeaseTable leases;
    readonly ClusterTable cluster;
    readonly AuthTable auth;
    readonly Quota quota;
    readonly CommandRunner commands;
    readonly HashTrail trail = new();

    StateMachine(IKeyValueEngine engine, StateOptions options)
    {
        this.engine = engine;
        this.options = options;
        published = new(engine, options.EventTailBytes);
        store = new(published, batch, options.ValueCacheBytes);
        compactor = new(published, store);
        leases = new(batch);
        cluster = new(batch);
        auth = new(batch);
        quota = new(store, cluster);
        commands = new(store, leases, cluster, new(auth, leases), quota);
    }

    /// <summary>
    /// Opens the state in the engine, or makes a new one: reads the rows and builds the index of keys. Throws <see cref="StateFormatException"/> when
    /// the state was written by a version with another format.
    /// </summary>
    public static StateMachine Open(IKeyValueEngine engine, StateOptions options)
    {
        var machine = new StateMachine(engine, options);
        machine.Restore();
        return machine;
    }

    /// <summary>Index and term of the last entry that is part of the state (in the same engine batch as its effects).</summary>
    public LogIndex Applied { get; private set; }

    public Term AppliedTerm { get; private set; }

    /// <summary>Votes as of <see cref="Applied"/>; empty in a new state.</summary>
    public MembershipConfig Config => cluster.Config;

    /// <summary>The newest view. Replaced as a whole after each <see cref="Apply"/>.</summary>
    public StateView View => published.Latest;

    /// <summary>In order of their ids. For the caller of <see cref="Apply"/> only, like <see cref="FindLease"/>.</summary>
    public IEnumerable<LeaseInfo> Leases => leases.All;

    /// <summary>Bytes that the cache of newest values holds.</summary>
    public long CachedBytes => store.CachedBytes;

    /// <summary>The running hash right after the entry was applied; null for what is not applied yet, was long ago, or before this member started.</summary>
    public ulong? HashAt(LogIndex index) => trail.At(index);

    public LeaseInfo? FindLease(LeaseId id) => leases.Find(id);

    /// <summary>
    /// Settles in the command what depends on this member's own options, before it enters the log: its quota, the floor of a lease's time, and the id
    /// of a lease that came without. Members with other options then still apply it alike.
    /// </summary>
    /// <param name="leaseId">Used for a grant without id: positive, chosen by the caller at random.</param>
    public void Seal(Command command, LeaseId leaseId)
    {
        command.QuotaBytes = SealedQuotaBytes;
        if (command.LeaseGrant is not { } grant) return;
        grant.TTL = Math.Max(grant.TTL, options.LeaseTtlMinSeconds);
        if (grant.ID == 0) grant.ID = leaseId.Value;
    }

    /// <summary>What <see cref="Seal"/> writes into each command.</summary>
    public long SealedQuotaBytes => Math.Max(0, options.QuotaBytes);

    /// <summary>Applies entries that follow <see cref="Applied"/> without a hole, in one engine write; entries at or below it are skipped. One result for each entry applied, in order.</summary>
    public IReadOnlyList<ApplyResult> Apply(IReadOnlyList<Entry> entries)
    {
        store.RefreshCache();
        var results = new List<ApplyResult>(entries.Count);
        foreach (var entry in entries)
        {
            if (entry.Index <= Applied) continue;
            Invariant.Require(entry.Index == Applied.Next);
            results.Add(commands.Run(entry));
            (Applied, AppliedTerm) = (entry.Index, entry.Term);
            trail.Add(Applied, batch.Hash);
        }
        if (results.Count == 0) return results;
        Write();
        Publish();
        return results;
    }

    /// <summary>True while <see cref="CompactSome"/> has something left to delete.</summary>
    public bool IsCompacting => !compactor.IsIdle;

    /// <summary>
    /// Works off a bounded piece of what compaction left to delete; false when nothing is left. Called between applies, also when there is nothing to
    /// apply: it takes up into the cache what readers missed.
    /// </summary>
    public bool CompactSome(int rowsMax)
    {
        store.RefreshCache();
        if (compactor.IsIdle) return false;
        compactor.Step(rowsMax);
        Publish();
        return !compactor.IsIdle;
    }

    void Restore()
    {
        cluster.Restore(engine);
        auth.Restore(engine);
        leases.Restore(engine);
        compactor.Restore();
        var state = engine.Get(Table.Meta, MetaKeys.Applied) is { } row ? AppliedState.Decode(row) : AppliedState.New;
        (Applied, AppliedTerm) = (new(state.Index), new(state.Term));
        batch.Hash = state.Hash;
        trail.Add(Applied, state.Hash);
        quota.RefusedCost = state.RefusedCost;
        store.Restore(state, live: entry =>
        {
            if (entry.Lease != 0) leases.Attach(new(entry.Lease), entry.Key);
        });
        Publish();
    }

    AppliedState State =>
        new(Applied.Value, AppliedTerm.Value, store.Revision, store.Compacted, store.Space, quota.RefusedCost, batch.Hash);

    void Write()
    {
        batch.Writes.Put(Table.Meta, MetaKeys.Applied, State.Encode(StateFormat.Under(cluster.View.Version)));
        engine.Write(batch.Writes);
        batch.Writes.Clear();
        store.Written();
    }

    void Publish() => published.Latest = new(published, store.Freeze(), State, cluster.View, auth.View);
}
