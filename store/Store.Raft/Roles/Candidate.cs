namespace Store.Raft;

/// <summary>Stands for election in a term of its own, having voted for itself (Raft §5.2).</summary>
/// <remarks>
/// Its requests wait, like its own vote, until term, vote and log are on disk. Were they sent before:
/// <list type="number">
/// <item>A has entry 9 in memory only, stands in term 4 with it, and B, which has 9 on disk, grants. Entry 9 is committed by B and the old leader.</item>
/// <item>A crashes. Neither entry 9 nor term 4 reached its disk.</item>
/// <item>A stands in term 4 once more, without entry 9. C refuses, but B's first answer, late on the wire, elects A, which overwrites a committed entry.</item>
/// </list>
/// </remarks>
sealed class Candidate(RaftNode node, bool transfer) : Role(node)
{
    readonly Ballot ballot = new();
    ElectionTimer timer = new(node.DrawElectionTimeout());

    public override RaftRole Kind => RaftRole.Candidate;

    public override void Enter()
    {
        foreach (var voter in Node.Config.Voters)
        {
            Node.SendWhenDurable(voter == Node.Id
                ? new Message.VoteReply(Node.Id, Node.Id, Node.Term, Granted: true)
                : new Message.RequestVote(Node.Id, voter, Node.Term, Node.Log.LastIndex, Node.Log.LastTerm, transfer));
        }
    }

    public override void Tick()
    {
        if (timer.Tick()) Node.Campaign(transfer: false);
    }

    public override void Step(Message message)
    {
        switch (message)
        {
            case Message.VoteReply reply:
                Count(reply);
                break;
            case Message.AppendEntries or Message.Heartbeat:
                Node.FollowAndStep(message);
                break;
        }
    }

    void Count(Message.VoteReply reply)
    {
        ballot.Record(reply.From, reply.Granted);
        switch (ballot.Outcome(Node.Config))
        {
            case VoteOutcome.Won:
                Node.BecomeLeader();
                break;
            case VoteOutcome.Lost:
                Node.BecomeFollower(Node.Term, NodeId.None);
                break;
        }
    }
}
