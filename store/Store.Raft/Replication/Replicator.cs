namespace Store.Raft;

/// <summary>The leader's side of replication: what each other member has, and what to send it next (Raft §5.3).</summary>
sealed class Replicator
{
    readonly RaftNode node;
    Progress[] members = [];

    public Replicator(RaftNode node)
    {
        this.node = node;
        Configure();
    }

    /// <summary>All members but this one, in the order of their ids.</summary>
    public ReadOnlySpan<Progress> Members => members;

    public Progress? Find(NodeId id)
    {
        foreach (var member in members)
        {
            if (member.Id == id) return member;
        }
        return null;
    }

    /// <summary>Follows the configuration: who stays keeps what is known of it.</summary>
    public void Configure()
    {
        var config = node.Config;
        var members = new List<Progress>();
        foreach (var id in config.Voters.Union(config.Learners))
        {
            if (id == node.Id) continue;
            var isLearner = config.Learners.Contains(id);
            var progress = Find(id) ?? new Progress(id, isLearner, node.Log.LastIndex.Next, node.Options);
            progress.IsLearner = isLearner;
            members.Add(progress);
        }
        this.members = [.. members];
    }

    /// <summary>What a majority of the voters has on disk.</summary>
    public LogIndex QuorumMatch() => new(QuorumOf(static member => member.Match.Value, node.Disk.Stable.Value));

    /// <summary>The newest read round that a majority of the voters has confirmed.</summary>
    public ulong QuorumReadRound() => QuorumOf(static member => member.ReadRound, ulong.MaxValue);

    public bool QuorumActive() => QuorumOf(static member => member.Active ? 1UL : 0, 1) == 1;

    /// <summary>Sends every member what flow control lets through.</summary>
    public void SendAppends()
    {
        foreach (var member in members)
        {
            if (member.Paused && !member.Forced) continue;
            while (TrySend(member) && member.State == ProgressState.Replicate && !member.Paused && member.Next <= node.Log.LastIndex) { }
        }
    }

    /// <summary>
    /// A heartbeat never lets a follower commit what it is not known to have: behind <see cref="Progress.Match"/> its log may still hold another
    /// leader's entries, and a heartbeat, unlike an append, does not check.
    /// </summary>
    public void SendHeartbeats(ulong readRound)
    {
        foreach (var member in members) SendHeartbeat(member, readRound);
    }

    /// <summary>
    /// Asks only as many voters as make a majority with this member, those that confirmed the newest round before: with three members that halves the messages,
    /// and what a read costs is mostly these. One that has fallen silent holds a round up until the next tick, once: the heartbeats of a tick go to all with the newest
    /// round, whoever answers has then confirmed a newer one than the silent one, and is asked from there on.
    /// </summary>
    public void SendReadRound(ulong readRound)
    {
        Span<bool> asked = stackalloc bool[members.Length];
        for (var wanted = Quorum.Size(node.Config.Voters.Count) - 1; wanted > 0; wanted--)
        {
            var best = -1;
            for (var i = 0; i < members.Length; i++)
            {
                if (asked[i] || members[i].IsLearner) continue;
                if (best < 0 || members[i].ReadRound > members[best].ReadRound) best = i;
            }
            asked[best] = true;
            SendHeartbeat(members[best], readRound);
        }
    }

    void SendHeartbeat(Progress member, ulong readRound)
    {
        var commit = LogIndex.Min(member.Match, node.Commit);
        node.Send(new Message.Heartbeat(node.Id, member.Id, node.Term, commit, readRound));
    }

    bool TrySend(Progress member)
    {
        var log = node.Log;
        var previous = member.Next - 1;
        if (log.TermAt(previous) is not { } previousTerm || StartsBeforeTheLog(member, previous))
        {
            NeedSnapshot(member);
            return false;
        }
        var entries = member.TakesEntries ? log.Slice(member.Next, log.LastIndex, node.Options.AppendBytesMax) : [];
        var last = previous + (ulong)entries.Length;
        var news = entries.Length > 0 || member.Forced || member.State == ProgressState.Probe || LogIndex.Min(node.Commit, last) > member.CommitSent;
        if (!news) return false;

        node.Send(new Message.AppendEntries(node.Id, member.Id, node.Term, previous, previousTerm, node.Commit, entries));
        member.Sent(entries.Length, log.BytesBetween(previous, last), node.Commit);
        return true;
    }

    /// <summary>
    /// The members of a new cluster start with its configuration at index zero, in no entry. Who joins later cannot learn it from the entries, however
    /// complete the log still is: it starts from a snapshot.
    /// </summary>
    bool StartsBeforeTheLog(Progress member, LogIndex previous) =>
        previous == LogIndex.Zero && !node.InitialConfig.Voters.IsEmpty && !node.InitialConfig.Contains(member.Id);

    void NeedSnapshot(Progress member)
    {
        // A snapshot is dear: only for one that is there.
        if (!member.Active) return;
        member.StartSnapshot();
        node.NeedSnapshot(member.Id);
    }

    ulong QuorumOf(Func<Progress, ulong> value, ulong own)
    {
        Span<ulong> values = stackalloc ulong[members.Length + 1];
        var voters = 0;
        if (node.Config.Voters.Contains(node.Id)) values[voters++] = own;
        foreach (var member in members)
        {
            if (!member.IsLearner) values[voters++] = value(member);
        }
        return Quorum.Reached(values[..voters]);
    }
}
