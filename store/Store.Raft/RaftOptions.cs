namespace Store.Raft;

/// <summary>Times are in ticks; one tick is the heartbeat interval of the shell.</summary>
public sealed record RaftOptions
{
    public required NodeId Id { get; init; }
    public int ElectionTimeoutTicks { get; init; } = 10;
    public int HeartbeatTicks { get; init; } = 1;
    /// <summary>Upper bound for the entries of one append message.</summary>
    public int AppendBytesMax { get; init; } = 1 << 20;
    /// <summary>Append messages on their way to one follower before the leader pauses.</summary>
    public int InflightAppendsMax { get; init; } = 512;
    public long InflightBytesMax { get; init; } = 64 << 20;
    /// <summary>A proposal that would lift the uncommitted tail above this is refused.</summary>
    public long UncommittedBytesMax { get; init; } = 256 << 20;
    /// <summary>Upper bound for the entries handed out for applying at a time.</summary>
    public int CommittedBytesMax { get; init; } = 16 << 20;
    /// <summary>A deliberate mistake for the simulator, to see it caught: entries of earlier terms are committed by counting (Raft, figure 8).</summary>
    internal bool CountsOldTerms { get; init; }
}

/// <summary>What a member knows when it starts: its disk, read.</summary>
/// <param name="Snapshot">What the log starts behind: (0, 0, initial config) for a new member.</param>
/// <param name="Entries">The log behind the snapshot, without holes.</param>
/// <param name="Applied">The state machine's applied index, at or behind the snapshot's index and within the log.</param>
/// <param name="Config">
/// The configuration at <paramref name="Applied"/>, where the state machine keeps it. Null: the snapshot's, brought forward by every change in the entries up
/// to there, which is right as long as no change that stands in the log was refused when it was applied.
/// </param>
public sealed record RaftStart(
    HardState HardState, SnapshotMetadata Snapshot, IReadOnlyList<Entry> Entries, LogIndex Applied, MembershipConfig? Config = null);
