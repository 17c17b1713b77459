namespace Store.Raft;

/// <summary>Takes proposals, replicates them, and knows when they are committed (Raft §5.3); hands over when asked.</summary>
internal sealed class Leader : Role
{
    private readonly Replicator _replicator;
    private readonly ReadRounds _reads = new();
    /// <summary>The empty entry that opens this term; once it is committed, so is everything before it (Raft §8).</summary>
    private readonly LogIndex _opening;
    /// <summary>
    /// The last entry that may be a change of membership. At first the opening entry: an earlier leader's change may stand uncommitted before it, and
    /// with the opening entry applied this leader has committed in its own term, without which two changes of different terms can lose each other's majority.
    /// </summary>
    private LogIndex _pendingConfig;
    private NodeId _transferTarget;
    private int _heartbeatElapsed;
    private int _electionElapsed;
    private bool _wantsFlush = true;

    public Leader(RaftNode node) : base(node)
    {
        _replicator = new(node);
        _opening = node.Log.LastIndex.Next;
        _pendingConfig = _opening;
    }

    public override RaftRole Kind => RaftRole.Leader;

    public override NodeId LeaderId => Node.Id;

    public override bool HearsLeader => true;

    public override NodeId TransferTarget => _transferTarget;

    public override bool WantsFlush => _wantsFlush;

    private bool HasCommittedInTerm => Node.Commit >= _opening;

    public override void Enter() => Node.Log.Append(new Entry(Node.Term, _opening, EntryKind.Normal, default));

    public override void Tick()
    {
        if (++_electionElapsed >= Node.Options.ElectionTimeoutTicks)
        {
            _electionElapsed = 0;
            _transferTarget = NodeId.None;
            if (!_replicator.QuorumActive())
            {
                Node.BecomeFollower(Node.Term, NodeId.None);
                return;
            }
            foreach (var member in _replicator.Members) member.Active = false;
        }
        if (++_heartbeatElapsed < Node.Options.HeartbeatTicks) return;
        _heartbeatElapsed = 0;
        // The round under way may have lost its heartbeats: those of the new one confirm it too.
        if (_reads.Waiting && HasCommittedInTerm) _reads.Open(Node.Commit);
        _replicator.SendHeartbeats(_reads.Newest);
        _wantsFlush = true;
    }

    public override void Step(Message message)
    {
        Invariant.Require(message is not (Message.AppendEntries or Message.Heartbeat), "one leader a term");
        if (_replicator.Find(message.From) is not { } member) return;
        member.Active = true;
        switch (message)
        {
            case Message.AppendAccepted accepted:
                OnAccepted(member, accepted.Match);
                break;
            case Message.AppendRejected rejected:
                var agreed = Node.Log.LastNotAfter(rejected.HintIndex, rejected.HintTerm).Index;
                _wantsFlush |= member.Rejected(rejected.Rejected, agreed);
                break;
            case Message.HeartbeatReply reply:
                OnHeartbeatReply(member, reply.ReadContext);
                break;
        }
    }

    public override ProposeError Propose(IReadOnlyList<ProposedEntry> entries)
    {
        if (!_transferTarget.IsNone) return ProposeError.TransferInProgress;
        var (bytes, changes) = (0L, 0);
        for (var i = 0; i < entries.Count; i++)
        {
            bytes += entries[i].Data.Length;
            if (ChangesVotes(entries[i])) changes++;
        }
        if (changes > 1 || (changes == 1 && _pendingConfig > Node.AppliedIndex)) return ProposeError.ConfigChangePending;
        // One proposal is always taken, however big, or it never could be.
        var uncommitted = Node.Log.BytesBetween(Node.Commit, Node.Log.LastIndex);
        if (uncommitted > 0 && uncommitted + bytes > Node.Options.UncommittedBytesMax) return ProposeError.TooManyUncommitted;

        for (var i = 0; i < entries.Count; i++)
        {
            var entry = new Entry(Node.Term, Node.Log.LastIndex.Next, entries[i].Kind, entries[i].Data);
            if (ChangesVotes(entries[i])) _pendingConfig = entry.Index;
            Node.Log.Append(entry);
        }
        _wantsFlush = true;
        return ProposeError.None;
    }

    public override void ReadIndex(NodeId from, Term term, ulong context)
    {
        if (HasCommittedInTerm && ConfirmsAlone(from, term))
        {
            Node.Send(new Message.ReadIndexReply(Node.Id, from, Node.Term, context, Node.Commit));
            return;
        }
        _reads.Add(from, context);
        _wantsFlush = true;
    }

    public override void TransferLeadership(NodeId target)
    {
        if (target == _transferTarget) return;
        _transferTarget = NodeId.None;
        if (_replicator.Find(target) is not { IsLearner: false } member) return;
        _transferTarget = target;
        _electionElapsed = 0;
        _wantsFlush = true;
        // It may have missed the last append: ask now rather than with the next heartbeat.
        member.Nudge();
        HandOverWhenCaughtUp(member);
    }

    public override void Flush()
    {
        _wantsFlush = false;
        OpenReadRound();
        _replicator.SendAppends();
    }

    public override void LogPersisted() => AdvanceCommit();

    public override void ConfigChanged()
    {
        if (!Node.Config.Voters.Contains(Node.Id))
        {
            // Removed or made a learner: it has seen the change committed, and others lead from here (dissertation §4.2.2). They count without it once they
            // know that as well, and perhaps nobody else knows it yet.
            _replicator.SendHeartbeats(readRound: 0);
            Node.BecomeFollower(Node.Term, NodeId.None);
            return;
        }
        _replicator.Configure();
        if (_replicator.Find(_transferTarget) is not { IsLearner: false }) _transferTarget = NodeId.None;
        // The majority may be smaller now, and entries or reads that waited for the old one are through.
        AdvanceCommit();
        AnswerReads();
        _wantsFlush = true;
    }

    public override void ReportUnreachable(NodeId id) => _replicator.Find(id)?.Unreachable();

    public override void ReportSnapshot(NodeId id, LogIndex index, bool delivered) => _replicator.Find(id)?.EndSnapshot(index, delivered);

    public override IReadOnlyList<FollowerStatus> Followers
    {
        get
        {
            var members = _replicator.Members;
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
        foreach (var member in _replicator.Members) Invariant.Require(member.Next > member.Match && member.Match <= Node.Log.LastIndex);
    }

    private static bool ChangesVotes(ProposedEntry entry) =>
        entry.Kind == EntryKind.ConfigChange && ConfigChange.Decode(entry.Data).ChangesVotes;

    private void OnAccepted(Progress member, LogIndex match)
    {
        Invariant.Require(match <= Node.Log.LastIndex);
        if (!member.Accepted(match, Node.Log.StartIndex)) return;
        _wantsFlush = true;
        AdvanceCommit();
        if (member.Id == _transferTarget) HandOverWhenCaughtUp(member);
    }

    private void OnHeartbeatReply(Progress member, ulong readRound)
    {
        member.ReadRound = Math.Max(member.ReadRound, readRound);
        if (_reads.UnderWay) AnswerReads();
        if (member.Match == Node.Log.LastIndex && member.State == ProgressState.Replicate) return;
        member.Nudge();
        _wantsFlush = true;
    }

    /// <summary>Only entries of the own term are committed by counting; those before come with them (Raft §5.4.2, figure 8).</summary>
    private void AdvanceCommit()
    {
        var match = _replicator.QuorumMatch();
        if (match <= Node.Commit || (Node.Log.TermAt(match) != Node.Term && !Node.Options.CountsOldTerms)) return;
        Node.CommitTo(match);
        _wantsFlush = true;
    }

    private void HandOverWhenCaughtUp(Progress target)
    {
        if (target.Match == Node.Log.LastIndex) Node.Send(new Message.TimeoutNow(Node.Id, target.Id, Node.Term));
    }

    /// <summary>Before the opening entry is committed the leader does not know what its predecessors have committed, so reads wait (dissertation §6.4).</summary>
    private void OpenReadRound()
    {
        if (!_reads.Waiting || _reads.UnderWay || !HasCommittedInTerm) return;
        _reads.Open(Node.Commit);
        _replicator.SendReadRound(_reads.Newest);
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
    private bool ConfirmsAlone(NodeId from, Term term) =>
        from != Node.Id && term == Node.Term && Node.Config.Voters.Contains(from) && Quorum.Size(Node.Config.Voters.Count) <= 2;

    private void AnswerReads()
    {
        var confirmed = _replicator.QuorumReadRound();
        while (_reads.TryTake(confirmed, out var round))
        {
            foreach (var (from, context) in round.Reads)
            {
                if (from == Node.Id) Node.AnswerRead(context, round.Index);
                else Node.Send(new Message.ReadIndexReply(Node.Id, from, Node.Term, context, round.Index));
            }
        }
        _wantsFlush |= _reads.Waiting;
    }
}
