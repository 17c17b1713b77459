using Store.Raft;

namespace Store.State;

public sealed record StateOptions
{
    /// <summary>Newest encoded values are kept in memory up to this many bytes; the rest is read from the engine.</summary>
    public long ValueCacheBytes { get; init; } = 64 << 20;

    /// <summary>The newest events are kept in memory for watchers up to this many bytes.</summary>
    public long EventTailBytes { get; init; } = 16 << 20;

    /// <summary>Quota for live bytes; zero or less: none.</summary>
    public long QuotaBytes { get; init; } = 2L << 30;

    public int TxnOperationsMax { get; init; } = 128;

    /// <summary>Floor for lease TTLs in seconds: 1.5 election timeouts, rounded up (contract 1.7).</summary>
    public long LeaseTtlMinSeconds { get; init; } = 2;
}

/// <summary>
/// The replicated state: applies committed entries in order and publishes immutable views of the result. Deterministic: the same entries give the
/// same rows, answers and hashes on every member. One caller at a time; views may be read by anybody.
/// </summary>
public sealed partial class StateMachine
{
    /// <summary>Opens the state in the engine, or makes a new one: reads the rows and builds the index of keys.</summary>
    public static StateMachine Open(IKeyValueEngine engine, StateOptions options) => throw new NotImplementedException();

    /// <summary>Index and term of the last entry that is part of the state (in the same engine batch as its effects).</summary>
    public LogIndex Applied => throw new NotImplementedException();

    public Term AppliedTerm => throw new NotImplementedException();

    /// <summary>Votes as of <see cref="Applied"/>; empty in a new state.</summary>
    public MembershipConfig Config => throw new NotImplementedException();

    /// <summary>The newest view. Replaced as a whole after each <see cref="Apply"/>.</summary>
    public StateView View => throw new NotImplementedException();

    /// <summary>Applies entries that follow <see cref="Applied"/> without a hole, in one engine write; entries at or below it are skipped. One result for each entry applied, in order.</summary>
    public IReadOnlyList<ApplyResult> Apply(IReadOnlyList<Entry> entries) => throw new NotImplementedException();

    /// <summary>Works off a bounded piece of what compaction left to delete; false when nothing is left. Called between applies.</summary>
    public bool CompactSome(int rowsMax) => throw new NotImplementedException();
}
