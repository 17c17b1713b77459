namespace Store.Raft.Tests;

/// <summary>A disk that can be slow: writes queue up and become durable in order. A crash loses what is still queued.</summary>
sealed class TestDisk
{
    readonly Queue<PersistRequest> queue = new();
    readonly List<Entry> entries = [];

    public TestDisk(MembershipConfig config) => Snapshot = new(LogIndex.Zero, Term.Zero, config);

    public HardState HardState { get; private set; }

    /// <summary>What the log starts behind.</summary>
    public SnapshotMetadata Snapshot { get; private set; }

    public IReadOnlyList<Entry> Entries => entries;

    public LogIndex LastIndex => Snapshot.Index + (ulong)entries.Count;

    public int Queued => queue.Count;

    public void Enqueue(PersistRequest request) => queue.Enqueue(request);

    /// <summary>Makes up to <paramref name="count"/> queued writes durable; the sequence of the last one, or zero.</summary>
    public ulong Sync(int count = int.MaxValue)
    {
        var last = 0UL;
        while (count-- > 0 && queue.TryDequeue(out var request))
        {
            Write(request);
            last = request.Sequence;
        }
        return last;
    }

    /// <summary>Power is lost while the first <paramref name="written"/> queued writes had reached the disk, though nobody was told yet.</summary>
    public void Crash(int written)
    {
        while (written-- > 0 && queue.TryDequeue(out var request)) Write(request);
        queue.Clear();
    }

    /// <summary>Forgets the entries up to the index, which the state machine on the same disk stands for.</summary>
    public void Compact(LogIndex index, MembershipConfig config)
    {
        var at = entries.FindIndex(entry => entry.Index == index);
        if (at < 0) return;
        Snapshot = new(index, entries[at].Term, config);
        entries.RemoveRange(0, at + 1);
    }

    /// <summary>A crash between replacing the state machine by a snapshot and writing that to the log: the log starts anew behind the state machine.</summary>
    public void StartBehind(SnapshotMetadata applied)
    {
        var term = applied.Index == Snapshot.Index ? Snapshot.Term : entries.Find(entry => entry.Index == applied.Index)?.Term;
        if (term == applied.Term) return;
        Snapshot = applied;
        HardState = HardState with { Commit = applied.Index };
        entries.Clear();
    }

    void Write(PersistRequest request)
    {
        HardState = request.HardState ?? HardState;
        if (request.Snapshot is { } snapshot)
        {
            Snapshot = snapshot;
            entries.Clear();
        }
        if (request.Entries.Count == 0) return;
        var first = request.Entries[0].Index;
        entries.RemoveAll(entry => entry.Index >= first);
        Invariant.Require(first == LastIndex.Next, "no holes on disk");
        entries.AddRange(request.Entries);
    }
}
