namespace Store.Raft;

/// <summary>
/// What the core wants done next, as data. Nothing in here waits for anything else in here: what depends on the disk is held back
/// inside the core until <see cref="RaftNode.Persisted"/> says so.
/// </summary>
public sealed record Ready
{
    /// <summary>To be written and synced, in the order given by <see cref="PersistRequest.Sequence"/>; null when there is nothing.</summary>
    public PersistRequest? Persist { get; init; }

    /// <summary>To be sent at once, in any order, at most once; losing any of them is allowed.</summary>
    public IReadOnlyList<Message> Messages { get; init; } = [];

    /// <summary>Committed and on this member's disk: to be applied in order, then reported with <see cref="RaftNode.Applied"/>.</summary>
    public IReadOnlyList<Entry> Committed { get; init; } = [];

    /// <summary>Answers to <see cref="RaftNode.ReadIndex"/>: a read may be served once the index is applied.</summary>
    public IReadOnlyList<ReadState> Reads { get; init; } = [];

    /// <summary>Followers that are behind the log: the shell makes and streams a snapshot, then calls <see cref="RaftNode.ReportSnapshot"/>.</summary>
    public IReadOnlyList<NodeId> SnapshotsNeeded { get; init; } = [];

    /// <summary>
    /// A received snapshot was accepted: replace the state machine by it and report <see cref="RaftNode.Applied"/> with its index; nothing more is
    /// handed out to apply before. The log now starts behind its index. If a crash leaves the state machine replaced but the write of this Ready undone, start
    /// with the state machine's point as <see cref="RaftStart.Snapshot"/> and no entries: whatever the old log holds is older or was never committed.
    /// </summary>
    public SnapshotMetadata? Restore { get; init; }
}

/// <summary>One unit of durable work. Sequences rise by one; a later one is durable only when all earlier ones are.</summary>
/// <param name="HardState">Null when unchanged.</param>
/// <param name="Entries">To append; the first may lie below the end of the log on disk, which is then cut there first.</param>
/// <param name="Snapshot">Set when the log starts anew behind this point: everything older on disk no longer counts.</param>
public sealed record PersistRequest(ulong Sequence, HardState? HardState, IReadOnlyList<Entry> Entries, SnapshotMetadata? Snapshot);

/// <param name="Context">What the caller of <see cref="RaftNode.ReadIndex"/> gave.</param>
public readonly record struct ReadState(ulong Context, LogIndex Index);

public enum RaftRole { Follower, PreCandidate, Candidate, Leader }

/// <summary>How the core stands, for status pages and decisions of the shell.</summary>
public sealed record RaftStatus(
    NodeId Id, RaftRole Role, Term Term, NodeId Leader, LogIndex Commit, LogIndex Applied, LogIndex FirstIndex, LogIndex LastIndex,
    NodeId TransferTarget, MembershipConfig Config, IReadOnlyList<FollowerStatus> Followers);

/// <param name="Active">Heard from within the last election timeout.</param>
public sealed record FollowerStatus(NodeId Id, LogIndex Match, LogIndex Next, bool IsLearner, bool Active, string State);

/// <summary>Why a proposal was not taken. <see cref="None"/>: it was taken (which does not yet mean committed).</summary>
public enum ProposeError
{
    None,
    NoLeader,
    /// <summary>The leader is handing over and takes nothing new.</summary>
    TransferInProgress,
    /// <summary>Too many bytes are uncommitted.</summary>
    TooManyUncommitted,
    /// <summary>An earlier change of membership is not applied yet (dissertation §4.1).</summary>
    ConfigChangePending,
    /// <summary>This member is not part of the cluster any more.</summary>
    NotMember,
}
