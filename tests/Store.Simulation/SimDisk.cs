using Store.Raft;
using Store.State;

namespace Store.Simulation;

/// <summary>
/// One member's disk: the log with writes on their way to it, and the engine. Writes become durable in their order, some time after they were
/// asked for. A crash keeps some prefix of the writes on their way, and of the first that is not complete some prefix of its records: hard state,
/// then entry by entry.
/// </summary>
sealed class SimDisk(World world)
{
    readonly Queue<PersistRequest> underWay = new();
    List<Entry> entries = [];
    HardState hardState;
    SnapshotMetadata start = new(LogIndex.Zero, Term.Zero, MembershipConfig.Empty);
    bool writing;
    int incarnation;

    public MemoryEngine Engine { get; set; } = new();

    /// <summary>Set while a snapshot is being installed: the log may only restart behind it once it is there.</summary>
    public bool Held { get; set; }

    public LogIndex LastIndex => entries.Count > 0 ? entries[^1].Index : start.Index;

    public HardState HardState => hardState;

    /// <summary>What a member that is founded with others finds: the first members as entries of term one, as etcd writes them.</summary>
    public void Found(IReadOnlyList<Entry> bootstrap)
    {
        entries = [.. bootstrap];
        hardState = new(new(1), NodeId.None, bootstrap[^1].Index);
    }

    public void Write(PersistRequest request, Action<ulong> persisted)
    {
        underWay.Enqueue(request);
        if (world.Options.Bug == Bug.AnswerBeforePersist) world.Schedule.After(1, WhileUp(() => persisted(request.Sequence)));
        WriteNext(persisted);
    }

    public void Release(Action<ulong> persisted)
    {
        Held = false;
        WriteNext(persisted);
    }

    void WriteNext(Action<ulong> persisted)
    {
        if (writing || Held || underWay.Count == 0) return;
        writing = true;
        world.Schedule.After(world.DiskDelay(), WhileUp(() =>
        {
            writing = false;
            var done = underWay.Dequeue();
            Put(done, int.MaxValue);
            if (world.Options.Bug != Bug.AnswerBeforePersist) persisted(done.Sequence);
            WriteNext(persisted);
        }));
    }

    Action WhileUp(Action action)
    {
        var current = incarnation;
        return () =>
        {
            if (incarnation == current) action();
        };
    }

    /// <summary>The member is gone: what was under way is there in part.</summary>
    public void Crash(Random random)
    {
        incarnation++;
        writing = false;
        while (!Held && underWay.TryDequeue(out var request))
        {
            if (random.Next(2) == 0)
            {
                Put(request, int.MaxValue);
                continue;
            }
            if (request.Snapshot is null) Put(request, random.Next(request.Entries.Count + 2));
            break;
        }
        underWay.Clear();
        Held = false;
        CrashEngine(random);
    }

    void CrashEngine(Random random)
    {
        var before = Engine.Fork();
        Engine.Crash(random.Next(Engine.UnflushedBatches + 1));
        if (world.Options.Bug == Bug.ApplyTwice) Mix(meta: Engine, revisions: before);
        if (world.Options.Bug == Bug.TornBatch) Mix(meta: before, revisions: Engine);
    }

    /// <summary>
    /// The state becomes another: it holds a lease that nobody was granted, and says of itself that this is what came of the log. Clients do not see that lease, so that
    /// nothing they are told before the difference is found is wrong.
    /// </summary>
    public void Rot()
    {
        if (Engine.Get(Table.Meta, MetaKeys.Applied) is not { } applied) return;
        var edited = new EngineBatch();
        byte[] lease = [1, .. Enumerable.Repeat((byte)0, 4), 0x7f, 0, 0, 0, .. Enumerable.Repeat((byte)0, 8)];
        edited.Put(Table.Meta, MetaKeys.Lease(new(long.MaxValue)), lease);
        // Its last number is the hash.
        applied = [.. applied[..^1], (byte)(applied[^1] ^ 1)];
        edited.Put(Table.Meta, MetaKeys.Applied, applied);
        Engine.Write(edited);
        Engine.Flush();
    }

    /// <summary>What an engine without atomic flushes leaves: one table older than the other.</summary>
    void Mix(MemoryEngine meta, MemoryEngine revisions)
    {
        var mixed = new EngineBatch();
        foreach (var row in meta.Scan(Table.Meta, ReadOnlyMemory<byte>.Empty, null)) mixed.Put(Table.Meta, row.Key, row.Value);
        foreach (var row in revisions.Scan(Table.Revisions, ReadOnlyMemory<byte>.Empty, null)) mixed.Put(Table.Revisions, row.Key, row.Value);
        Engine = new();
        if (mixed.Operations.Count > 0) Engine.Write(mixed);
        Engine.Flush();
    }

    void Put(PersistRequest request, int records)
    {
        if (request.Snapshot is { } snapshot)
        {
            entries = [];
            start = snapshot;
        }
        if (request.HardState is { } changed && records-- > 0)
        {
            hardState = world.Options.Bug == Bug.ForgetVote ? changed with { VotedFor = NodeId.None } : changed;
        }
        foreach (var entry in request.Entries)
        {
            if (records-- <= 0) return;
            Append(entry);
        }
    }

    void Append(Entry entry)
    {
        var position = (int)(entry.Index.Value - start.Index.Value) - 1;
        Invariant.Require(position >= 0 && position <= entries.Count, "the log on disk has no holes");
        if (world.Options.Bug == Bug.KeepOverwritten && position < entries.Count) return;
        entries.RemoveRange(position, entries.Count - position);
        entries.Add(entry);
    }

    public void Cut(LogIndex upTo)
    {
        var count = (int)(upTo.Value - start.Index.Value);
        if (upTo <= start.Index) return;
        Invariant.Require(count <= entries.Count);
        start = new(upTo, entries[count - 1].Term, MembershipConfig.Empty);
        entries.RemoveRange(0, count);
    }

    /// <summary>What the member starts with. An engine ahead of its log was left by a snapshot that was installed just before a crash: the log starts anew behind it.</summary>
    public RaftStart Boot(StateMachine state)
    {
        Invariant.Require(state.Applied >= start.Index, "the engine has everything that was cut from the log");
        if (state.Applied > LastIndex || TermAt(state.Applied) != state.AppliedTerm)
        {
            entries = [];
            start = new(state.Applied, state.AppliedTerm, state.Config);
            var known = hardState.Term >= state.AppliedTerm;
            hardState = new(known ? hardState.Term : state.AppliedTerm, known ? hardState.VotedFor : NodeId.None, state.Applied);
        }
        var commit = LogIndex.Min(LogIndex.Max(hardState.Commit, state.Applied), LastIndex);
        return new(hardState with { Commit = commit }, start, [.. entries], state.Applied, state.Applied == LogIndex.Zero ? null : state.Config);
    }

    Term TermAt(LogIndex index) => index == start.Index ? start.Term : entries[(int)(index.Value - start.Index.Value) - 1].Term;
}
