namespace Store.Raft;

/// <summary>The leader's side of replication: what each other member has, and what to send it next (Raft §5.3).</summary>
internal sealed class Replicator
{
    private readonly RaftNode _node;
    private Progress[] _members = [];

    public Replicator(RaftNode node)
    {
        _node = node;
        Configure();
    }

    /// <summary>All members but this one, in the order of their ids.</summary>
    public ReadOnlySpan<Progress> Members => _members;

    public Progress? Find(NodeId id)
    {
        foreach (var member in _members)
        {
            if (member.Id == id) return member;
        }
        return null;
    }

    /// <summary>Follows the configuration: who stays keeps what is known of it.</summary>
    public void Configure()
    {
        var config = _node.Config;
        var members = new List<Progress>();
        foreach (var id in config.Voters.Union(config.Learners))
        {
            if (id == _node.Id) continue;
            var isLearner = config.Learners.Contains(id);
            var progress = Find(id) ?? new Progress(id, isLearner, _node.Log.LastIndex.Next, _node.Options);
            progress.IsLearner = isLearner;
            members.Add(progress);
        }
        _members = [.. members];
    }

    /// <summary>What a majority of the voters has on disk.</summary>
    public LogIndex QuorumMatch() => new(QuorumOf(static member => member.Match.Value, _node.Disk.Stable.Value));

    /// <summary>The newest read round that a majority of the voters has confirmed.</summary>
    public ulong QuorumReadRound() => QuorumOf(static member => member.ReadRound, ulong.MaxValue);

    public bool QuorumActive() => QuorumOf(static member => member.Active ? 1UL : 0, 1) == 1;

    /// <summary>Sends every member what flow control lets through.</summary>
    public void SendAppends()
    {
        foreach (var member in _members)
        {
            if (member.Paused && !member.Forced) continue;
            while (TrySend(member) && member.State == ProgressState.Replicate && !member.Paused && member.Next <= _node.Log.LastIndex) { }
        }
    }

    /// <summary>
    /// A heartbeat never lets a follower commit what it is not known to have: behind <see cref="Progress.Match"/> its log may still hold another
    /// leader's entries, and a heartbeat, unlike an append, does not check.
    /// </summary>
    public void SendHeartbeats(ulong readRound)
    {
        foreach (var member in _members) SendHeartbeat(member, readRound);
    }

    /// <summary>
    /// Asks only as many voters as make a majority with this member, those that confirmed the newest round before: with three members that halves the messages,
    /// and what a read costs is mostly these. One that has fallen silent holds a round up until the next tick, once: the heartbeats of a tick go to all with the newest
    /// round, whoever answers has then confirmed a newer one than the silent one, and is asked from there on.
    /// </summary>
    public void SendReadRound(ulong readRound)
    {
        Span<bool> asked = stackalloc bool[_members.Length];
        for (var wanted = Quorum.Size(_node.Config.Voters.Count) - 1; wanted > 0; wanted--)
        {
            var best = -1;
            for (var i = 0; i < _members.Length; i++)
            {
                if (asked[i] || _members[i].IsLearner) continue;
                if (best < 0 || _members[i].ReadRound > _members[best].ReadRound) best = i;
            }
            asked[best] = true;
            SendHeartbeat(_members[best], readRound);
        }
    }

    private void SendHeartbeat(Progress member, ulong readRound)
    {
        var commit = LogIndex.Min(member.Match, _node.Commit);
        _node.Send(new Message.Heartbeat(_node.Id, member.Id, _node.Term, commit, readRound));
    }

    private bool TrySend(Progress member)
    {
        var log = _node.Log;
        var previous = member.Next - 1;
        if (log.TermAt(previous) is not { } previousTerm || StartsBeforeTheLog(member, previous))
        {
            NeedSnapshot(member);
            return false;
        }
        var entries = member.TakesEntries ? log.Slice(member.Next, log.LastIndex, _node.Options.AppendBytesMax) : [];
        var last = previous + (ulong)entries.Length;
        var news = entries.Length > 0 || member.Forced || member.State == ProgressState.Probe || LogIndex.Min(_node.Commit, last) > member.CommitSent;
        if (!news) return false;

        _node.Send(new Message.AppendEntries(_node.Id, member.Id, _node.Term, previous, previousTerm, _node.Commit, entries));
        member.Sent(entries.Length, log.BytesBetween(previous, last), _node.Commit);
        return true;
    }

    /// <summary>
    /// The members of a new cluster start with its configuration at index zero, in no entry. Who joins later cannot learn it from the entries, however
    /// complete the log still is: it starts from a snapshot.
    /// </summary>
    private bool StartsBeforeTheLog(Progress member, LogIndex previous) =>
        previous == LogIndex.Zero && !_node.InitialConfig.Voters.IsEmpty && !_node.InitialConfig.Contains(member.Id);

    private void NeedSnapshot(Progress member)
    {
        // A snapshot is dear: only for one that is there.
        if (!member.Active) return;
        member.StartSnapshot();
        _node.NeedSnapshot(member.Id);
    }

    private ulong QuorumOf(Func<Progress, ulong> value, ulong own)
    {
        Span<ulong> values = stackalloc ulong[_members.Length + 1];
        var voters = 0;
        if (_node.Config.Voters.Contains(_node.Id)) values[voters++] = own;
        foreach (var member in _members)
        {
            if (!member.IsLearner) values[voters++] = value(member);
        }
        return Quorum.Reached(values[..voters]);
    }
}
