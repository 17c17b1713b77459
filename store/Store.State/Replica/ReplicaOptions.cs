using Store.Raft;

namespace Store.State;

/// <summary>Times are in ticks of <see cref="RaftOptions"/>'s heartbeat; one tick is <see cref="TickMilliseconds"/>.</summary>
public sealed record ReplicaOptions
{
    public required RaftOptions Raft { get; init; }
    public required int TickMilliseconds { get; init; }
    public required StateOptions State { get; init; }
    public int LearnersMax { get; init; } = 1;
    public bool StrictReconfigCheck { get; init; } = true;
    /// <summary>Proposals waiting for their result before more are refused with TooManyRequests.</summary>
    public int PendingProposalsMax { get; init; } = 20_000;
    /// <summary>Committed entries that wait for being applied before proposals are refused with TooManyRequests (contract 1.15).</summary>
    public ulong ApplyBacklogMax { get; init; } = 5_000;
    /// <summary>Entries kept behind the applied index so that a follower that was away for a moment needs no snapshot.</summary>
    public ulong CatchUpEntries { get; init; } = 5_000;
    /// <summary>The same bound in bytes; the smaller of both holds.</summary>
    public long CatchUpBytes { get; init; } = 32 << 20;

    /// <summary>How many ticks cover the time; at least one.</summary>
    public long Ticks(long milliseconds) => Math.Max(1, (milliseconds + TickMilliseconds - 1) / TickMilliseconds);

    /// <summary>The longest a request waits for its outcome: 5 s and two election timeouts (contract 1.1).</summary>
    public long RequestTimeoutTicks => Ticks(5_000) + 2 * Raft.ElectionTimeoutTicks;
}
