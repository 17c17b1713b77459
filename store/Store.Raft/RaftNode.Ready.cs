namespace Store.Raft;

/// <summary>The core's intentions: collected while inputs come in, handed out as one <see cref="Ready"/>.</summary>
public sealed partial class RaftNode
{
    private List<Message> _messages = [];
    private List<ReadState> _reads = [];
    private List<NodeId> _snapshotsNeeded = [];
    private SnapshotMetadata? _restore;
    /// <summary>Entries up to here were handed out for applying.</summary>
    private LogIndex _handedOut;
    private Standing _checked;

    internal Durability Disk { get; }

    public bool HasReady =>
        _messages.Count > 0 || _role.WantsFlush || IsDirty || CommittedThrough > _handedOut ||
        _reads.Count > 0 || _snapshotsNeeded.Count > 0 || _restore is not null;

    private bool IsDirty => Disk.IsDirty(Term, VotedFor, Log.LastIndex);

    /// <summary>What may be applied: committed, on this disk, and behind a state machine that is not about to be replaced.</summary>
    private LogIndex CommittedThrough => RestorePending ? _handedOut : LogIndex.Min(Commit, Disk.Stable);

    /// <summary>Takes the next intentions; each is handed out once.</summary>
    public Ready TakeReady()
    {
        _role.Flush();
        var ready = new Ready
        {
            Persist = Disk.Next(Term, VotedFor, Commit, Log),
            Messages = Take(ref _messages),
            Committed = TakeCommitted(),
            Reads = Take(ref _reads),
            SnapshotsNeeded = Take(ref _snapshotsNeeded),
            Restore = _restore,
        };
        _restore = null;
        CheckInvariants();
        return ready;
    }

    /// <summary>Everything up to this sequence is on disk: releases the messages, acknowledgements and votes that waited for it.</summary>
    public void Persisted(ulong sequence)
    {
        var released = Disk.Persisted(sequence);
        while (released.TryDequeue(out var message)) Send(message);
        _role.LogPersisted();
    }

    internal void Send(Message message)
    {
        if (message.To == Id) Step(message);
        else _messages.Add(message);
    }

    /// <summary>Sends the message once everything that this member has decided up to now is on its disk.</summary>
    internal void SendWhenDurable(Message message)
    {
        if (!Disk.Hold(message, IsDirty)) Send(message);
    }

    internal void AnswerRead(ulong context, LogIndex index) => _reads.Add(new(context, index));

    internal void NeedSnapshot(NodeId id) => _snapshotsNeeded.Add(id);

    private static List<T> Take<T>(ref List<T> list)
    {
        if (list.Count == 0) return Nothing<T>.List;
        var taken = list;
        list = [];
        return taken;
    }

    private Entry[] TakeCommitted()
    {
        var through = CommittedThrough;
        if (through <= _handedOut) return [];
        var entries = Log.Slice(_handedOut.Next, through, Options.CommittedBytesMax);
        _handedOut = entries[^1].Index;
        return entries;
    }

    /// <summary>All that must hold between the parts, and from one turn to the next.</summary>
    private void CheckInvariants()
    {
        var now = Snapshot();
        Invariant.Require(now.Term >= _checked.Term && now.Commit >= _checked.Commit && now.Applied >= _checked.Applied);
        Invariant.Require(now.Term > _checked.Term || now.VotedFor == _checked.VotedFor || _checked.VotedFor.IsNone, "one vote a term");
        Invariant.Require(Commit >= Log.StartIndex && Commit <= Log.LastIndex && Log.LastTerm <= Term);
        Invariant.Require(_handedOut >= AppliedIndex && _handedOut <= Commit && Disk.Stable <= Log.LastIndex);
        _role.CheckInvariants();
        _checked = now;
    }

    private Standing Snapshot() => new(Term, VotedFor, Commit, AppliedIndex);

    private static class Nothing<T>
    {
        public static readonly List<T> List = [];
    }

    private readonly record struct Standing(Term Term, NodeId VotedFor, LogIndex Commit, LogIndex Applied);
}
