namespace Store.Raft;

/// <summary>Takes what the leader sends, votes, and stands for election when it hears no leader. Learners and removed members are followers that never stand.</summary>
sealed class Follower(RaftNode node, NodeId leader) : Role(node)
{
    ElectionTimer timer = new(node.DrawElectionTimeout());
    NodeId leader = leader;

    public override RaftRole Kind => RaftRole.Follower;

    public override NodeId LeaderId => leader;

    public override bool HearsLeader => !leader.IsNone && timer.Elapsed < Node.Options.ElectionTimeoutTicks;

    public override void Tick()
    {
        if (timer.Tick()) Node.Campaign(transfer: false);
    }

    public override void VoteGranted() => timer.Reset();

    public override void Step(Message message)
    {
        switch (message)
        {
            case Message.AppendEntries append:
                Hear(append);
                Node.TakeAppend(append);
                break;
            case Message.Heartbeat heartbeat:
                Hear(heartbeat);
                Node.TakeHeartbeat(heartbeat);
                break;
            case Message.TimeoutNow:
                Node.Campaign(transfer: true);
                break;
            case Message.ReadIndexReply reply:
                Node.AnswerRead(reply.Context, reply.Index);
                break;
        }
    }

    public override ProposeError Propose(IReadOnlyList<ProposedEntry> entries)
    {
        if (leader.IsNone) return ProposeError.NoLeader;
        Node.Send(new Message.Propose(Node.Id, leader, Node.Term, entries));
        return ProposeError.None;
    }

    public override void ReadIndex(NodeId from, Term term, ulong context)
    {
        // A request that was passed on already is not passed on again: two members that each think the other leads would play ball with it.
        if (leader.IsNone || from != Node.Id) return;
        Node.Send(new Message.ReadIndexRequest(Node.Id, leader, Node.Term, context));
    }

    public override void TransferLeadership(NodeId target)
    {
        if (!leader.IsNone) Node.Send(new Message.TransferLeader(Node.Id, leader, Node.Term, target));
    }

    void Hear(Message message)
    {
        Invariant.Require(leader.IsNone || leader == message.From, "one leader a term");
        leader = message.From;
        timer.Reset();
    }
}
