using System.Text;

namespace Store.Raft.Tests;

/// <summary>A member with its disk and a state machine that remembers what was applied: the shell around a <see cref="RaftNode"/>, in small.</summary>
sealed class TestMember
{
    readonly RaftOptions options;
    readonly Func<LogIndex, IReadOnlyList<Entry>> snapshotState;
    List<Entry> applied = [];
    SnapshotMetadata appliedPoint;

    public TestMember(RaftOptions options, MembershipConfig config, Random random, Func<LogIndex, IReadOnlyList<Entry>> snapshotState)
    {
        (this.options, this.snapshotState) = (options, snapshotState);
        Disk = new(config);
        appliedPoint = Disk.Snapshot;
        Node = Start(random);
    }

    public NodeId Id => options.Id;

    public RaftNode Node { get; private set; }

    public TestDisk Disk { get; }

    /// <summary>Everything applied since the beginning of the log, snapshots included.</summary>
    public IReadOnlyList<Entry> Applied => applied;

    public LogIndex AppliedIndex => appliedPoint.Index;

    public SnapshotMetadata AppliedPoint => appliedPoint;

    public IReadOnlyList<string> AppliedCommands =>
        [.. applied.Where(e => e.Kind == EntryKind.Normal && e.Data.Length > 0).Select(e => Encoding.UTF8.GetString(e.Data.Span))];

    public List<ReadState> Reads { get; } = [];

    public List<NodeId> SnapshotsNeeded { get; } = [];

    /// <summary>Takes one Ready: queues the write, applies what is committed, gives back what is to be sent.</summary>
    public Ready Turn()
    {
        var ready = Node.TakeReady();
        if (ready.Persist is { } persist) Disk.Enqueue(persist);
        if (ready.Restore is { } snapshot) Restore(snapshot);
        foreach (var entry in ready.Committed) Apply(entry);
        Reads.AddRange(ready.Reads);
        SnapshotsNeeded.AddRange(ready.SnapshotsNeeded);
        return ready;
    }

    public void Sync(int count = int.MaxValue)
    {
        var sequence = Disk.Sync(count);
        if (sequence > 0) Node.Persisted(sequence);
    }

    /// <summary>Stops without warning and starts again from disk. The state machine's engine keeps what it applied, as it is made durable by itself.</summary>
    public void Restart(Random random, int written = 0)
    {
        Disk.Crash(written);
        Reads.Clear();
        SnapshotsNeeded.Clear();
        Node = Start(random);
    }

    public void Compact(LogIndex index)
    {
        Node.CompactLog(index);
        var config = ConfigAt(index);
        Disk.Compact(index, config);
    }

    RaftNode Start(Random random)
    {
        Disk.StartBehind(appliedPoint);
        return new(options, new(Disk.HardState, Disk.Snapshot, [.. Disk.Entries], appliedPoint.Index), random);
    }

    void Apply(Entry entry)
    {
        Invariant.Require(entry.Index == appliedPoint.Index.Next);
        applied.Add(entry);
        var config = appliedPoint.Config;
        if (entry.Kind == EntryKind.ConfigChange) config = Node.ApplyConfigChange(ConfigChange.Decode(entry.Data));
        appliedPoint = new(entry.Index, entry.Term, config);
        Node.Applied(entry.Index);
    }

    void Restore(SnapshotMetadata snapshot)
    {
        Restored(snapshot);
        Node.Applied(snapshot.Index);
    }

    void Restored(SnapshotMetadata snapshot)
    {
        applied = [.. snapshotState(snapshot.Index)];
        appliedPoint = snapshot;
    }

    MembershipConfig ConfigAt(LogIndex index)
    {
        var config = Disk.Snapshot.Config;
        foreach (var entry in applied.Where(e => e.Index > Disk.Snapshot.Index && e.Index <= index && e.Kind == EntryKind.ConfigChange))
        {
            config = config.With(ConfigChange.Decode(entry.Data));
        }
        return config;
    }
}
