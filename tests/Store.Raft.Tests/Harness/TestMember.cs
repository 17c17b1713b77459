using System.Text;

namespace Store.Raft.Tests;

/// <summary>A member with its disk and a state machine that remembers what was applied: the shell around a <see cref="RaftNode"/>, in small.</summary>
internal sealed class TestMember
{
    private readonly RaftOptions _options;
    private readonly Func<LogIndex, IReadOnlyList<Entry>> _snapshotState;
    private List<Entry> _applied = [];
    private SnapshotMetadata _appliedPoint;

    public TestMember(RaftOptions options, MembershipConfig config, Random random, Func<LogIndex, IReadOnlyList<Entry>> snapshotState)
    {
        (_options, _snapshotState) = (options, snapshotState);
        Disk = new(config);
        _appliedPoint = Disk.Snapshot;
        Node = Start(random);
    }

    public NodeId Id => _options.Id;

    public RaftNode Node { get; private set; }

    public TestDisk Disk { get; }

    /// <summary>Everything applied since the beginning of the log, snapshots included.</summary>
    public IReadOnlyList<Entry> Applied => _applied;

    public LogIndex AppliedIndex => _appliedPoint.Index;

    public SnapshotMetadata AppliedPoint => _appliedPoint;

    public IReadOnlyList<string> AppliedCommands =>
        [.. _applied.Where(e => e.Kind == EntryKind.Normal && e.Data.Length > 0).Select(e => Encoding.UTF8.GetString(e.Data.Span))];

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

    private RaftNode Start(Random random)
    {
        Disk.StartBehind(_appliedPoint);
        return new(_options, new(Disk.HardState, Disk.Snapshot, [.. Disk.Entries], _appliedPoint.Index), random);
    }

    private void Apply(Entry entry)
    {
        Invariant.Require(entry.Index == _appliedPoint.Index.Next);
        _applied.Add(entry);
        var config = _appliedPoint.Config;
        if (entry.Kind == EntryKind.ConfigChange) config = Node.ApplyConfigChange(ConfigChange.Decode(entry.Data));
        _appliedPoint = new(entry.Index, entry.Term, config);
        Node.Applied(entry.Index);
    }

    private void Restore(SnapshotMetadata snapshot)
    {
        Restored(snapshot);
        Node.Applied(snapshot.Index);
    }

    private void Restored(SnapshotMetadata snapshot)
    {
        _applied = [.. _snapshotState(snapshot.Index)];
        _appliedPoint = snapshot;
    }

    private MembershipConfig ConfigAt(LogIndex index)
    {
        var config = Disk.Snapshot.Config;
        foreach (var entry in _applied.Where(e => e.Index > Disk.Snapshot.Index && e.Index <= index && e.Kind == EntryKind.ConfigChange))
        {
            config = config.With(ConfigChange.Decode(entry.Data));
        }
        return config;
    }
}
