namespace Store.Raft;

/// <summary>What members say to each other. A closed hierarchy: each message has just the fields that mean something in it.</summary>
/// <param name="Term">The sender's term; for a pre-vote the term it would stand for.</param>
public abstract record Message(NodeId From, NodeId To, Term Term)
{
    /// <summary>Would you vote for me? Asked before any term is raised, so that a partitioned member disturbs nobody (dissertation §9.6).</summary>
    public sealed record PreVote(NodeId From, NodeId To, Term Term, LogIndex LastIndex, Term LastTerm) : Message(From, To, Term);

    public sealed record PreVoteReply(NodeId From, NodeId To, Term Term, bool Granted) : Message(From, To, Term);

    /// <param name="Transfer">Set when the leader asked for this election (dissertation §3.10): heard leaders are then no reason to refuse.</param>
    public sealed record RequestVote(NodeId From, NodeId To, Term Term, LogIndex LastIndex, Term LastTerm, bool Transfer) : Message(From, To, Term);

    public sealed record VoteReply(NodeId From, NodeId To, Term Term, bool Granted) : Message(From, To, Term);

    public sealed record AppendEntries(
        NodeId From, NodeId To, Term Term, LogIndex PreviousIndex, Term PreviousTerm, LogIndex Commit, IReadOnlyList<Entry> Entries) : Message(From, To, Term);

    /// <summary>Entries up to <paramref name="Match"/> are on the follower's disk.</summary>
    public sealed record AppendAccepted(NodeId From, NodeId To, Term Term, LogIndex Match) : Message(From, To, Term);

    /// <param name="Rejected">The previous index that did not fit.</param>
    /// <param name="HintIndex">The last index at which the logs may still agree, and the follower's term there.</param>
    public sealed record AppendRejected(NodeId From, NodeId To, Term Term, LogIndex Rejected, LogIndex HintIndex, Term HintTerm) : Message(From, To, Term);

    /// <param name="ReadContext">Zero, or the read-index round that this heartbeat confirms leadership for (dissertation §6.4).</param>
    public sealed record Heartbeat(NodeId From, NodeId To, Term Term, LogIndex Commit, ulong ReadContext) : Message(From, To, Term);

    public sealed record HeartbeatReply(NodeId From, NodeId To, Term Term, ulong ReadContext) : Message(From, To, Term);

    /// <summary>
    /// The state up to <paramref name="Snapshot"/> has arrived beside this message and was verified. Good in any later term too, and from a sender that
    /// does not lead any more: what is committed stays so.
    /// </summary>
    public sealed record InstallSnapshot(NodeId From, NodeId To, Term Term, SnapshotMetadata Snapshot) : Message(From, To, Term);

    /// <summary>Stand for election now: the leader hands over (dissertation §3.10).</summary>
    public sealed record TimeoutNow(NodeId From, NodeId To, Term Term) : Message(From, To, Term);

    /// <summary>A follower passes commands on to the leader. Carries no term of its own: it is not part of the agreement.</summary>
    public sealed record Propose(NodeId From, NodeId To, Term Term, IReadOnlyList<ProposedEntry> Entries) : Message(From, To, Term);

    /// <summary>A follower asks the leader for a read index.</summary>
    public sealed record ReadIndexRequest(NodeId From, NodeId To, Term Term, ulong Context) : Message(From, To, Term);

    public sealed record ReadIndexReply(NodeId From, NodeId To, Term Term, ulong Context, LogIndex Index) : Message(From, To, Term);

    /// <summary>A follower asks the leader to hand over to <paramref name="Target"/>.</summary>
    public sealed record TransferLeader(NodeId From, NodeId To, Term Term, NodeId Target) : Message(From, To, Term);

    /// <summary>A leader asks what the member's state was at the index. This and the next two are no part of the agreement: whoever drives the core answers them.</summary>
    public sealed record HashQuestion(NodeId From, NodeId To, Term Term, LogIndex Index) : Message(From, To, Term);

    public sealed record HashAnswer(NodeId From, NodeId To, Term Term, LogIndex Index, ulong Hash) : Message(From, To, Term);

    /// <summary>A member whose state has proved wrong asks the leader for its own, applied at least up to the index.</summary>
    public sealed record StateRequest(NodeId From, NodeId To, Term Term, LogIndex Applied) : Message(From, To, Term);
}

/// <summary>An entry before it has a place in the log.</summary>
public readonly record struct ProposedEntry(EntryKind Kind, ReadOnlyMemory<byte> Data);
