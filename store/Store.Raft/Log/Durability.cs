namespace Store.Raft;

/// <summary>
/// What is on its way to the disk, what is there, and what waits for it. Holding a message back until the writes before it are durable makes
/// this member look to the others like one that writes synchronously and is slow to send: that is the whole argument for its safety.
/// </summary>
/// <remarks>
/// Why acknowledgements are matched by position in the queue and never by (index, term), the ABA race:
/// <list type="number">
/// <item>The leader of term 2 sends entry 5. It goes to disk as write 1, which is slow.</item>
/// <item>The leader of term 3, without that entry, overwrites 5 by its own: write 2.</item>
/// <item>The leader of term 4 has the old entry (5, term 2) and puts it back: write 3.</item>
/// <item>Write 1 completes. Its last entry is (5, term 2), and (5, term 2) is what the log holds: it looks durable. But write 2 will still
/// replace it on disk, and after a crash between writes 2 and 3 it is gone, although this member would have acknowledged it.</item>
/// </list>
/// So an overwrite at 5 clips every write still under way to 4, whatever comes back to that place later: only write 3 makes 5 durable.
/// </remarks>
sealed class Durability
{
    readonly Queue<Message> released = new();
    readonly List<Held> held = [];
    readonly List<Write> underWay = [];
    ulong handedOut;
    ulong persisted;
    HardState hardState;
    LogIndex written;
    SnapshotMetadata? snapshot;

    public Durability(HardState hardState, LogIndex lastIndex) => (this.hardState, written, Stable) = (hardState, lastIndex, lastIndex);

    /// <summary>Entries up to here are on disk, as the log has them now.</summary>
    public LogIndex Stable { get; private set; }

    /// <summary>Something in memory was not handed to the disk yet. A commit index alone is not worth a write: it goes along with the next one.</summary>
    public bool IsDirty(Term term, NodeId votedFor, LogIndex lastIndex) =>
        snapshot is not null || written < lastIndex || hardState.Term != term || hardState.VotedFor != votedFor;

    /// <summary>The log was cut: what is under way no longer makes anything from <paramref name="from"/> on durable.</summary>
    public void Overwritten(LogIndex from)
    {
        var last = from - 1;
        Stable = LogIndex.Min(Stable, last);
        written = LogIndex.Min(written, last);
        for (var i = 0; i < underWay.Count; i++) underWay[i] = underWay[i] with { Last = LogIndex.Min(underWay[i].Last, last) };
    }

    /// <summary>The log starts anew behind a snapshot; nothing of it is durable until the next write is.</summary>
    public void Restarted(SnapshotMetadata snapshot)
    {
        Overwritten(new(1));
        this.snapshot = snapshot;
        written = snapshot.Index;
    }

    /// <summary>The next write, or null when there is nothing to write.</summary>
    public PersistRequest? Next(Term term, NodeId votedFor, LogIndex commit, RaftLog log)
    {
        if (!IsDirty(term, votedFor, log.LastIndex)) return null;
        // Only what is durable before this write counts as committed in it: whichever part of a torn write survives, the log covers the commit index.
        var hardState = new HardState(term, votedFor, LogIndex.Max(this.hardState.Commit, LogIndex.Min(commit, Stable)));
        var request = new PersistRequest(
            ++handedOut,
            hardState == this.hardState ? null : hardState,
            log.Slice(written.Next, log.LastIndex, long.MaxValue / 2),
            snapshot);
        (this.hardState, written, snapshot) = (hardState, log.LastIndex, null);
        underWay.Add(new(handedOut, log.LastIndex));
        return request;
    }

    /// <summary>Holds the message back until all that is in memory now is on disk; false when it is there already and the message may go.</summary>
    public bool Hold(Message message, bool dirty)
    {
        var sequence = dirty ? handedOut + 1 : handedOut;
        if (sequence <= persisted) return false;
        // Appends that arrive together are acknowledged together.
        if (message is Message.AppendAccepted accepted && held is [.., { Message: Message.AppendAccepted earlier } last] &&
            last.Sequence == sequence && earlier.To == accepted.To && earlier.Term == accepted.Term)
        {
            if (accepted.Match > earlier.Match) held[^1] = new(sequence, accepted);
            return true;
        }
        held.Add(new(sequence, message));
        return true;
    }

    /// <summary>Everything up to the sequence is on disk. Gives back the messages that waited for it, in their order.</summary>
    public Queue<Message> Persisted(ulong sequence)
    {
        Invariant.Require(sequence <= handedOut);
        if (sequence <= persisted) return released;
        persisted = sequence;

        var done = 0;
        while (done < underWay.Count && underWay[done].Sequence <= sequence) Stable = LogIndex.Max(Stable, underWay[done++].Last);
        underWay.RemoveRange(0, done);

        var free = 0;
        while (free < held.Count && held[free].Sequence <= sequence) released.Enqueue(held[free++].Message);
        held.RemoveRange(0, free);
        return released;
    }

    readonly record struct Held(ulong Sequence, Message Message);

    readonly record struct Write(ulong Sequence, LogIndex Last);
}
