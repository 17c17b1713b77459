namespace Store.Raft;

enum ProgressState
{
    /// <summary>Where the logs part is not known: one append at a time.</summary>
    Probe,
    /// <summary>The logs agree: appends are sent one behind the other without waiting.</summary>
    Replicate,
    /// <summary>A snapshot is being streamed: nothing is sent.</summary>
    Snapshot,
}

/// <summary>What the leader knows of one other member.</summary>
sealed class Progress(NodeId id, bool isLearner, LogIndex next, RaftOptions options)
{
    readonly Inflights inflights = new(options.InflightAppendsMax, options.InflightBytesMax);
    bool probeSent;

    public NodeId Id { get; } = id;

    public bool IsLearner { get; set; } = isLearner;

    public ProgressState State { get; private set; }

    /// <summary>Known to be on the member's disk.</summary>
    public LogIndex Match { get; private set; }

    /// <summary>The next entry to send.</summary>
    public LogIndex Next { get; private set; } = next;

    /// <summary>The commit index that what was sent to the member lets it reach.</summary>
    public LogIndex CommitSent { get; private set; }

    /// <summary>Heard from since the last check of the quorum.</summary>
    public bool Active { get; set; }

    /// <summary>The newest read round in which the member confirmed the leader.</summary>
    public ulong ReadRound { get; set; }

    /// <summary>One append is to go out in spite of flow control: the last ones may be lost, and only an answer can tell.</summary>
    public bool Forced { get; private set; }

    public bool Paused => State switch
    {
        ProgressState.Probe => probeSent,
        ProgressState.Replicate => inflights.Full,
        _ => true,
    };

    /// <summary>True when there is room for entries in the next append.</summary>
    public bool TakesEntries => State == ProgressState.Probe || !inflights.Full;

    public void Sent(int count, long bytes, LogIndex commit)
    {
        Forced = false;
        var last = (Next + (ulong)count) - 1;
        CommitSent = LogIndex.Max(CommitSent, LogIndex.Min(commit, last));
        if (State == ProgressState.Probe)
        {
            probeSent = true;
        }
        else if (count > 0)
        {
            Next = last.Next;
            inflights.Add(last, bytes);
        }
    }

    /// <summary>The member has everything up to <paramref name="match"/>. True when that was news or ends a probe.</summary>
    public bool Accepted(LogIndex match, LogIndex logStart)
    {
        var news = match > Match;
        Match = LogIndex.Max(Match, match);
        Next = LogIndex.Max(Next, Match.Next);
        switch (State)
        {
            case ProgressState.Replicate:
                inflights.FreeThrough(match);
                return news;
            case ProgressState.Snapshot:
                // The log reaches it again: whatever became of the snapshot, it is not needed any more.
                if (Match >= logStart) Become(ProgressState.Replicate, Match.Next);
                return news;
            default:
                if (!news && match != Match) return false;
                Become(ProgressState.Replicate, Match.Next);
                return true;
        }
    }

    /// <summary>The append behind <paramref name="rejected"/> did not fit; <paramref name="agreed"/> is where the logs may still agree. False for an old answer.</summary>
    public bool Rejected(LogIndex rejected, LogIndex agreed)
    {
        if (State == ProgressState.Snapshot) return false;
        if (State == ProgressState.Replicate)
        {
            if (rejected <= Match) return false;
            Become(ProgressState.Probe, Match.Next);
            return true;
        }
        if (rejected != Next - 1 || rejected <= Match) return false;
        Become(ProgressState.Probe, LogIndex.Max(LogIndex.Min(rejected, agreed.Next), Match.Next));
        return true;
    }

    /// <summary>The member answers, but may have lost what was sent: the next append shows it.</summary>
    public void Nudge()
    {
        probeSent = false;
        Forced = State != ProgressState.Snapshot;
    }

    public void Unreachable()
    {
        if (State == ProgressState.Replicate) Become(ProgressState.Probe, Match.Next);
    }

    public void StartSnapshot() => Become(ProgressState.Snapshot, Next);

    /// <summary>Probes behind the snapshot, or from where it was; the next heartbeat's answer starts it, so that a failing stream is not retried in a spin.</summary>
    public void EndSnapshot(LogIndex index, bool delivered)
    {
        if (State != ProgressState.Snapshot) return;
        Become(ProgressState.Probe, delivered ? LogIndex.Max(Match, index).Next : Match.Next);
        probeSent = true;
    }

    void Become(ProgressState state, LogIndex next)
    {
        (State, Next, CommitSent, probeSent, Forced) = (state, next, LogIndex.Zero, false, false);
        inflights.Clear();
        Invariant.Require(Next > Match);
    }
}
