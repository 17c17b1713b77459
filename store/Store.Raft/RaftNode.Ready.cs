namespace Store.Raft;

/// <summary>The core's intentions: collected while inputs come in, handed out as one <see cref="Ready"/>.</summary>
public sealed partial class RaftNode
{
    List<Message> messages = [];
    List<ReadState> reads = [];
    List<NodeId> snapshotsNeeded = [];
    SnapshotMetadata? restore;
    /// <summary>Entries up to here were handed out for applying.</summary>
    LogIndex handedOut;
    Standing @checked;

    internal Durability Disk { get; }

    public bool HasReady =>
        messages.Count > 0 || role.WantsFlush || IsDirty || CommittedThrough > handedOut ||
        reads.Count > 0 || snapshotsNeeded.Count > 0 || restore is not null;

    bool IsDirty => Disk.IsDirty(Term, VotedFor, Log.LastIndex);

    /// <summary>What may be applied: committed, on this disk, and behind a state machine that is not about to be replaced.</summary>
    LogIndex CommittedThrough => RestorePending ? handedOut : LogIndex.Min(Commit, Disk.Stable);

    /// <summary>Takes the next intentions; each is handed out once.</summary>
    public Ready TakeReady()
    {
        role.Flush();
        var ready = new Ready
        {
            Persist = Disk.Next(Term, VotedFor, Commit, Log),
            Messages = Take(ref messages),
            Committed = TakeCommitted(),
            Reads = Take(ref reads),
            SnapshotsNeeded = Take(ref snapshotsNeeded),
            Restore = restore,
        };
        restore = null;
        CheckInvariants();
        return ready;
    }

    /// <summary>Everything up to this sequence is on disk: releases the messages, acknowledgements and votes that waited for it.</summary>
    public void Persisted(ulong sequence)
    {
        var released = Disk.Persisted(sequence);
        while (released.TryDequeue(out var message)) Send(message);
        role.LogPersisted();
    }

    internal void Send(Message message)
    {
        if (message.To == Id) Step(message);
        else messages.Add(message);
    }

    /// <summary>Sends the message once everything that this member has decided up to now is on its disk.</summary>
    internal void SendWhenDurable(Message message)
    {
        if (!Disk.Hold(message, IsDirty)) Send(message);
    }

    internal void AnswerRead(ulong context, LogIndex index) => reads.Add(new(context, index));

    internal void NeedSnapshot(NodeId id) => snapshotsNeeded.Add(id);

    static List<T> Take<T>(ref List<T> list)
    {
        if (list.Count == 0) return Nothing<T>.List;
        var taken = list;
        list = [];
        return taken;
    }

    Entry[] TakeCommitted()
    {
        var through = CommittedThrough;
        if (through <= handedOut) return [];
        var entries = Log.Slice(handedOut.Next, through, Options.CommittedBytesMax);
        handedOut = entries[^1].Index;
        return entries;
    }

    /// <summary>All that must hold between the parts, and from one turn to the next.</summary>
    void CheckInvariants()
    {
        var now = Snapshot();
        Invariant.Require(now.Term >= @checked.Term && now.Commit >= @checked.Commit && now.Applied >= @checked.Applied);
        Invariant.Require(now.Term > @checked.Term || now.VotedFor == @checked.VotedFor || @checked.VotedFor.IsNone, "one vote a term");
        Invariant.Require(Commit >= Log.StartIndex && Commit <= Log.LastIndex && Log.LastTerm <= Term);
        Invariant.Require(handedOut >= AppliedIndex && handedOut <= Commit && Disk.Stable <= Log.LastIndex);
        role.CheckInvariants();
        @checked = now;
    }

    Standing Snapshot() => new(Term, VotedFor, Commit, AppliedIndex);

    static class Nothing<T>
    {
        public static readonly List<T> List = [];
    }

    readonly record struct Standing(Term Term, NodeId VotedFor, LogIndex Commit, LogIndex Applied);
}
