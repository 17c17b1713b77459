namespace Store.Raft;

/// <content>The few facts that a shell asks for at every turn; <see cref="Status"/> tells everything, and allocates.</content>
public sealed partial class RaftNode
{
    public RaftRole Role => role.Kind;

    public NodeId Leader => role.LeaderId;

    public Term CurrentTerm => Term;

    public LogIndex CommitIndex => Commit;
}
