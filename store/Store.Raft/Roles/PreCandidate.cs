namespace Store.Raft;

/// <summary>Asks whether an election could be won, before it raises the term (dissertation §9.6): a member that was cut off comes back without unseating anyone.</summary>
sealed class PreCandidate(RaftNode node) : Role(node)
{
    readonly Ballot ballot = new();
    ElectionTimer timer = new(node.DrawElectionTimeout());

    public override RaftRole Kind => RaftRole.PreCandidate;

    public override void Enter()
    {
        foreach (var voter in Node.Config.Voters)
        {
            if (voter == Node.Id) continue;
            Node.Send(new Message.PreVote(Node.Id, voter, Node.Term.Next, Node.Log.LastIndex, Node.Log.LastTerm));
        }
        Count(Node.Id, granted: true);
    }

    public override void Tick()
    {
        if (timer.Tick()) Node.Campaign(transfer: false);
    }

    public override void Step(Message message)
    {
        switch (message)
        {
            case Message.PreVoteReply { Granted: false } reply:
                Count(reply.From, granted: false);
                break;
            case Message.PreVoteReply reply when reply.Term == Node.Term.Next:
                Count(reply.From, granted: true);
                break;
            case Message.AppendEntries or Message.Heartbeat:
                Node.FollowAndStep(message);
                break;
            case Message.TimeoutNow:
                Node.Campaign(transfer: true);
                break;
        }
    }

    void Count(NodeId voter, bool granted)
    {
        ballot.Record(voter, granted);
        switch (ballot.Outcome(Node.Config))
        {
            case VoteOutcome.Won:
                Node.BecomeCandidate(transfer: false);
                break;
            case VoteOutcome.Lost:
                Node.BecomeFollower(Node.Term, NodeId.None);
                break;
        }
    }
}
