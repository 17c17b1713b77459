namespace Store.Raft;

/// <summary>Takes proposals, replicates them, and knows when they are committed (Raft §5.3); hands over when asked.</summary>
sealed class Leader : Role
{
    readonly Replicator replicator;
    readonly ReadRounds reads = new();
    /// <summary>The empty entry that opens this term; once it is committed, so is everything before it (Raft §8).</summary>
    readonly LogIndex opening;
    /// <summary>
    /// The last entry that may be a change of membership. At first the opening entry: an earlier leader's change may stand uncommitted before it, and
    /// with the opening entry applied this leader has committed in its own term, without which two changes of different terms can lose each other's majority.
    /// </summary>
    LogIndex pendingConfig;
    NodeId transferTarget;
    int heartbeatElapsed;
    int electionElapsed;
    bool wantsFlush = true;

    public Leader(RaftNode node) : base(node)
    {
        replicator = new(node);
        opening = node.Log.LastIndex.Next;
        pendingConfig = opening;
    }

    public override RaftRole Kind => RaftRole.Leader;

    public override NodeId LeaderId => Node.Id;

    public override bool HearsLeader => true;

    public override NodeId TransferTarget => transferTarget;

    public override bool WantsFlush => wantsFlush;

    bool HasCommittedInTerm => Node.Commit >= opening;

    public override void Enter() => Node.Log.Append(new Entry(Node.Term, opening, EntryKind.Normal, default));

    public override void Tick()
    {
        if (++electionElapsed >= Node.Options.ElectionTimeoutTicks)
        {
            electionElapsed = 0;
            transferTarget = NodeId.None;
            if (!replicator.QuorumActive())
            {
                Node.BecomeFollower(Node.Term, NodeId.None);
                return;
            }
            foreach (var member in replicator.Members) member.Active = false;
        }
        if (++heartbeatElapsed < Node.Options.HeartbeatTicks) return;
        heartbeatElapsed = 0;
        // The round under way may have lost its heartbeats: those of the new one confirm it too.
        if (reads.Waiting && HasCommittedInTerm) reads.Open(Node.Commit);
        replicator.SendHeartbeats(reads.Newest);
        // A single voter is its own majority, and nobody's reply would come.
        if (reads.UnderWay) AnswerReads();
        wantsFlush = true;
    }

    public override void Step(Message message)
    {
        Invariant.Require(message is not (Message.AppendEntries or Message.Heartbeat), "one leader a term");
        if (replicator.Find(message.From) is not { } member) return;
        member.Active = true;
        switch (message)
        {
            case Message.AppendAccepted accepted:
                OnAccepted(member, accepted.Match);
                break;
            case Message.AppendRejected rejected:
                var agreed = Node.Log.LastNotAfter(rejected.HintIndex, rejected.HintTerm).Index;
                wantsFlush |= member.Rejected(rejected.Rejected, agreed);
                break;
            case Message.HeartbeatReply reply:
                OnHeartbeatReply(member, reply.ReadContext);
                break;
        }
    }

    public override ProposeError Propose(IReadOnlyList<ProposedEntry> entries)
    {
        if (!transferTarget.IsNone) return ProposeError.TransferInProgress;
        var (bytes, changes) = (0L, 0);
        for (var i = 0; i < entries.Count; i++)
        {
            bytes += entries[i].Data.Length;
            if (ChangesVotes(entries[i])) changes++;
        }
        if (changes > 1 || (changes == 1 && pendingConfig > Node.AppliedIndex)) return ProposeError.ConfigChangePending;
        // One proposal is always taken, however big, or it never could be.
        var uncommitted = Node.Log.BytesBetween(Node.Commit, Node.Log.LastIndex);
        if (uncommitted > 0 && uncommitted + bytes > Node.Options.UncommittedBytesMax) return ProposeError.TooManyUncommitted;

        for (var i = 0; i < entries.Count; i++)
        {
            var entry = new Entry(Node.Term, Node.Log.LastIndex.Next, entries[i].Kind, entries[i].Data);
            if (ChangesVotes(entries[i])) pendingConfig = entry.Index;
            Node.Log.Append(entry);
        }
        wantsFlush = true;
        return ProposeError.None;
    }

    public override void ReadIndex(NodeId from, Term term, ulong context)
    {
        if (HasCommittedInTerm && ConfirmsAlone(from, term))
        {
            Node.Send(new Message.ReadIndexReply(Node.Id, from, Node.Term, context, Node.Commit));
            return;
        }
        reads.Add(from, context);
        wantsFlush = true;
    }

    public override void TransferLeadership(NodeId target)
    {
        if (target == transferTarget) return;
        transferTarget = NodeId.None;
        if (replicator.Find(target) is not { IsLearner: false } member) return;
        transferTarget = target;
        electionElapsed = 0;
        wantsFlush = true;
        // It may have missed the last append: ask now rather than with the next heartbeat.
        member.Nudge();
        HandOverWhenCaughtUp(member);
    }

    public override void Flush()
    {
        wantsFlush = false;
        OpenReadRound();
        replicator.SendAppends();
    }

    public override void LogPersisted() => AdvanceCommit();

    public override void ConfigChanged()
    {
        if (!Node.Config.Voters.Contains(Node.Id))
        {
            // Removed or made a learner: it has seen the change committed, and others lead from here (dissertation §4.2.2). They count without it once they
            // know that as well, and perhaps nobody else knows it yet.
            replicator.SendHeartbeats(readRound: 0);
            Node.BecomeFollower(Node.Term, NodeId.None);
            return;
        }
        replicator.Configure();
        if (replicator.Find(transferTarget) is not { IsLearner: false }) transferTarget = NodeId.None;
        // The majority may be smaller now, and entries or reads that waited for the old one are through.
        AdvanceCommit();
        AnswerReads();
        wantsFlush = true;
    }

    public override void ReportUnreachable(NodeId id) => replicator.Find(id)?.Unreachable();

    public override void ReportSnapshot(NodeId id, LogIndex index, bool delivered) => replicator.Find(id)?.EndSnapshot(index, delivered);

    public override IReadOnlyList<FollowerStatus> Followers
    {
        get
        {
            var members = replicator.Members;
            var followers = new FollowerStatus[members.Length];
            for (var i = 0; i < followers.Length; i++)
            {
                var m = members[i];
                followers[i] = new(m.Id, m.Match, m.Next, m.IsLearner, m.Active, m.State switch
                {
                    ProgressState.Probe => nameof(ProgressState.Probe),
                    ProgressState.Replicate => nameof(ProgressState.Replicate),
                    _ => nameof(ProgressState.Snapshot),
                });
            }
            return followers;
        }
    }

    public override void CheckInvariants()
    {
        Invariant.Require(Node.Config.Voters.Contains(Node.Id));
        foreach (var member in replicator.Members) Invariant.Require(member.Next > member.Match && member.Match <= Node.Log.LastIndex);
    }

    static bool ChangesVotes(ProposedEntry entry) =>
        entry.Kind == EntryKind.ConfigChange && ConfigChange.Decode(entry.Data).ChangesVotes;

    void OnAccepted(Progress member, LogIndex match)
    {
        Invariant.Require(match <= Node.Log.LastIndex);
        if (!member.Accepted(match, Node.Log.StartIndex)) return;
        wantsFlush = true;
        AdvanceCommit();
        if (member.Id == transferTarget) HandOverWhenCaughtUp(member);
    }

    void OnHeartbeatReply(Progress member, ulong readRound)
    {
        member.ReadRound = Math.Max(member.ReadRound, readRound);
        if (reads.UnderWay) AnswerReads();
        if (member.Match == Node.Log.LastIndex && member.State == ProgressState.Replicate) return;
        member.Nudge();
        wantsFlush = true;
    }

    /// <summary>Only entries of the own term are committed by counting; those before come with them (Raft §5.4.2, figure 8).</summary>
    void AdvanceCommit()
    {
        var match = replicator.QuorumMatch();
        if (match <= Node.Commit || (Node.Log.TermAt(match) != Node.Term && !Node.Options.CountsOldTerms)) return;
        Node.CommitTo(match);
        wantsFlush = true;
    }

    void HandOverWhenCaughtUp(Progress target)
    {
        if (target.Match == Node.Log.LastIndex) Node.Send(new Message.TimeoutNow(Node.Id, target.Id, Node.Term));
    }

    /// <summary>Before the opening entry is committed the leader does not know what its predecessors have committed, so reads wait (dissertation §6.4).</summary>
    void OpenReadRound()
    {
        if (!reads.Waiting || reads.UnderWay || !HasCommittedInTerm) return;
        reads.Open(Node.Commit);
        replicator.SendReadRound(reads.Newest);
        // A single voter is its own majority.
        AnswerReads();
    }

    /// <summary>
    /// Whether the asking member and this one are a majority by themselves, as in a cluster of three; then the question is its own confirmation, and half the messages of
    /// a round are saved:
    /// <list type="number">
    /// <item>The read came to the member, then the member asked, and was still in this term.</item>
    /// <item>So before the read came it had given its vote to nobody of a later term, and neither has this leader up to now.</item>
    /// <item>Without either of them nobody can have been elected later, so nothing was acknowledged before the read that is not committed here.</item>
    /// </list>
    /// It is what a heartbeat's reply says; only that here the member's clock starts the round, and not the leader's.
    /// </summary>
    bool ConfirmsAlone(NodeId from, Term term) =>
        from != Node.Id && term == Node.Term && Node.Config.Voters.Contains(from) && Quorum.Size(Node.Config.Voters.Count) <= 2;

    void AnswerReads()
    {
        var confirmed = replicator.QuorumReadRound();
        while (reads.TryTake(confirmed, out var round))
        {
            foreach (var (from, context) in round.Reads)
            {
                if (from == Node.Id) Node.AnswerRead(context, round.Index);
                else Node.Send(new Message.ReadIndexReply(Node.Id, from, Node.Term, context, round.Index));
            }
        }
        wantsFlush |= reads.Waiting;
    }
}
