namespace Store.Raft;

/// <summary>Terms, votes and the change of roles.</summary>
public sealed partial class RaftNode
{
    internal RaftOptions Options { get; }

    internal NodeId Id => Options.Id;

    internal Term Term { get; private set; }

    internal NodeId VotedFor { get; private set; }

    internal MembershipConfig Config { get; private set; }

    /// <summary>
    /// Voters may stand, but not while a committed change of membership is not applied here: they would count their votes in a configuration that
    /// others have left already, where two majorities need not meet.
    /// </summary>
    internal bool MayStand
    {
        get
        {
            if (!Config.Voters.Contains(Id) || RestorePending) return false;
            for (var index = AppliedIndex.Next; index <= Commit; index = index.Next)
            {
                if (Log[index].Kind == EntryKind.ConfigChange) return false;
            }
            return true;
        }
    }

    internal int DrawElectionTimeout() => random.Next(Options.ElectionTimeoutTicks, 2 * Options.ElectionTimeoutTicks);

    /// <summary>Starts an election, where this member may stand: with a pre-vote, or at once when the leader itself hands over.</summary>
    internal void Campaign(bool transfer)
    {
        if (!MayStand) BecomeFollower(Term, NodeId.None);
        else if (transfer) BecomeCandidate(transfer: true);
        else Become(new PreCandidate(this));
    }

    internal void BecomeCandidate(bool transfer)
    {
        Term = Term.Next;
        VotedFor = Id;
        Become(new Candidate(this, transfer));
    }

    internal void BecomeLeader() => Become(new Leader(this));

    internal void BecomeFollower(Term term, NodeId leader)
    {
        Invariant.Require(term >= Term);
        if (term > Term) (Term, VotedFor) = (term, NodeId.None);
        Become(new Follower(this, leader));
    }

    /// <summary>Somebody leads this term: follows, and takes what it sent.</summary>
    internal void FollowAndStep(Message message)
    {
        BecomeFollower(Term, message.From);
        role.Step(message);
    }

    void Become(Role role)
    {
        this.role = role;
        role.Enter();
    }

    void StepInTerm(Message message)
    {
        switch (message)
        {
            case Message.PreVote preVote:
                OnPreVote(preVote);
                break;
            case Message.RequestVote request:
                OnRequestVote(request);
                break;
            default:
                role.Step(message);
                break;
        }
    }

    /// <summary>
    /// Takes over a later term, where it is a real one. False when the message is to be ignored: while this member hears a leader, nobody may
    /// unseat it (dissertation §4.2.3), unless the leader itself asked for the election.
    /// </summary>
    bool AdmitLaterTerm(Message message)
    {
        switch (message)
        {
            case Message.PreVote:
                return !role.HearsLeader;
            case Message.PreVoteReply { Granted: true }:
                // Speaks of a term that nobody has entered yet.
                return true;
            case Message.RequestVote { Transfer: false } when role.HearsLeader:
                return false;
            case Message.AppendEntries or Message.Heartbeat:
                BecomeFollower(message.Term, message.From);
                return true;
            default:
                BecomeFollower(message.Term, NodeId.None);
                return true;
        }
    }

    /// <summary>
    /// A leader or candidate of the past hears of the present and steps down. This also frees a member that is stuck in a later term than its
    /// leader: votes it asks for are ignored by those who hear the leader, so the leader itself must learn of the term.
    /// </summary>
    void AnswerOldTerm(Message message)
    {
        switch (message)
        {
            case Message.AppendEntries or Message.Heartbeat:
                Send(new Message.HeartbeatReply(Id, message.From, Term, ReadContext: 0));
                break;
            case Message.PreVote:
                Send(new Message.PreVoteReply(Id, message.From, Term, Granted: false));
                break;
            case Message.RequestVote:
                Send(new Message.VoteReply(Id, message.From, Term, Granted: false));
                break;
        }
    }

    /// <summary>Promises nothing, so nothing is remembered and nothing waits for the disk.</summary>
    void OnPreVote(Message.PreVote request)
    {
        var free = request.Term > Term || VotedFor == request.From || (VotedFor.IsNone && role.LeaderId.IsNone);
        var granted = free && Log.IsUpToDate(request.LastIndex, request.LastTerm);
        Send(new Message.PreVoteReply(Id, request.From, granted ? request.Term : Term, granted));
    }

    /// <summary>One vote a term, and only for a log that is not behind (Raft §5.2, §5.4.1). A learner votes too: the candidate may know that it was promoted.</summary>
    void OnRequestVote(Message.RequestVote request)
    {
        var free = VotedFor == request.From || (VotedFor.IsNone && role.LeaderId.IsNone);
        if (!free || !Log.IsUpToDate(request.LastIndex, request.LastTerm))
        {
            Send(new Message.VoteReply(Id, request.From, Term, Granted: false));
            return;
        }
        VotedFor = request.From;
        role.VoteGranted();
        SendWhenDurable(new Message.VoteReply(Id, request.From, Term, Granted: true));
    }
}
