namespace Store.Raft;

/// <summary>
/// What a member does as follower, candidate or leader. Each role owns what only it needs and is dropped with it: a follower has no table of
/// progress, and nothing of an old leadership can leak into a new one.
/// </summary>
abstract class Role(RaftNode node)
{
    protected RaftNode Node { get; } = node;

    public abstract RaftRole Kind { get; }

    public virtual NodeId LeaderId => NodeId.None;

    /// <summary>A leader was heard within the shortest election timeout: nobody else can need a vote (dissertation §4.2.3).</summary>
    public virtual bool HearsLeader => false;

    public virtual NodeId TransferTarget => NodeId.None;

    /// <summary>Called once, right after the role was taken.</summary>
    public virtual void Enter() { }

    public abstract void Tick();

    /// <summary>A message of the current term, or a granted pre-vote for the next one.</summary>
    public abstract void Step(Message message);

    public virtual ProposeError Propose(IReadOnlyList<ProposedEntry> entries) => ProposeError.NoLeader;

    /// <param name="term">The term in which the asking member was when it asked.</param>
    public virtual void ReadIndex(NodeId from, Term term, ulong context) { }

    public virtual void TransferLeadership(NodeId target) { }

    /// <summary>This member has just given its vote away.</summary>
    public virtual void VoteGranted() { }

    /// <summary>Something is to be sent at the next <see cref="Flush"/>.</summary>
    public virtual bool WantsFlush => false;

    /// <summary>Writes the messages that inputs since the last call made necessary: one append for a whole turn of the shell's loop, not one for each input.</summary>
    public virtual void Flush() { }

    /// <summary>More of the own log is on disk.</summary>
    public virtual void LogPersisted() { }

    public virtual void Applied() { }

    public virtual void ConfigChanged() { }

    public virtual void ReportUnreachable(NodeId id) { }

    public virtual void ReportSnapshot(NodeId id, LogIndex index, bool delivered) { }

    public virtual IReadOnlyList<FollowerStatus> Followers => [];

    public virtual void CheckInvariants() { }
}
