using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Simulation;

/// <summary>One member: what the server's shell does around a <see cref="Replica"/>, in virtual time.</summary>
sealed class SimMember(World world, NodeId id)
{
    public const int TickMicroseconds = 100_000;

    readonly SortedDictionary<LogIndex, Entry> issued = [];
    readonly List<Action> whilePaused = [];
    readonly Dictionary<LogIndex, MemoryEngine> received = [];
    Replica? replica;
    int incarnation;
    bool paused;
    LogIndex checkedApplied;

    public NodeId Id => id;

    public SimDisk Disk { get; } = new(world);

    public WatchHub? Hub { get; private set; }

    public bool IsUp => replica is not null;

    public bool IsPaused => paused;

    /// <summary>Removed from the cluster: never starts again.</summary>
    public bool IsGone { get; private set; }

    public Replica Replica => replica ?? throw new InvalidOperationException($"{id} is down");

    public void Start()
    {
        if (IsUp || IsGone) return;
        incarnation++;
        var state = StateMachine.Open(Disk.Engine, world.StateOptions);
        var start = Disk.Boot(state);
        foreach (var entry in start.Entries) issued[entry.Index] = entry;
        checkedApplied = start.Applied;
        Hub = new(state.View.Revision);
        replica = new(world.ReplicaOptions(id), start, state, new Random(world.Random.Next()));
        Later(world.Random.Next(TickMicroseconds), Tick);
        Later(world.Random.Next(1_000_000), Flush);
        Pump();
    }

    public void Crash()
    {
        if (!IsUp) return;
        (replica, Hub, paused) = (null, null, false);
        incarnation++;
        whilePaused.Clear();
        received.Clear();
        issued.Clear();
        Disk.Crash(world.Random);
    }

    public void Pause() => paused = IsUp;

    public void Resume()
    {
        if (!paused) return;
        paused = false;
        var waiting = whilePaused.ToArray();
        whilePaused.Clear();
        foreach (var action in waiting) Do(action);
    }

    public void Receive(Message message) => Do(() => Replica.Receive(message));

    public void ReceiveSnapshot(Message.InstallSnapshot message, MemoryEngine content) => Do(() =>
    {
        received[message.Snapshot.Index] = content;
        Replica.Receive(message);
    });

    public void ReportUnreachable(NodeId other) => Do(() => Replica.ReportUnreachable(other));

    /// <summary>Gives the replica an input, then carries out all that follows. A member that is paused does so when it goes on.</summary>
    public void Do(Action input)
    {
        if (!IsUp) return;
        if (paused)
        {
            whilePaused.Add(input);
            return;
        }
        input();
        Pump();
    }

    /// <summary>Runs later unless this life of the member has ended by then.</summary>
    void Later(long microseconds, Action action)
    {
        var current = incarnation;
        world.Schedule.After(microseconds, () =>
        {
            if (incarnation == current && IsUp) action();
        });
    }

    void Tick()
    {
        // A stopped process hears of the ticks it missed as one.
        if (!paused)
        {
            for (var i = world.TicksAtOnce(); i > 0 && IsUp; i--) Do(Replica.Tick);
        }
        if (IsUp) Later(world.TickDelay(id), Tick);
    }

    void Flush()
    {
        if (!paused)
        {
            if (world.Options.Bug != Bug.CutUnflushedLog) Disk.Engine.Flush();
            Do(() => Replica.EngineFlushed(Replica.State.Applied));
            Replica.State.CompactSome(1 + world.Random.Next(20));
        }
        Later(world.Random.Next(200_000, 3_000_000), Flush);
    }

    void Pump()
    {
        for (var turns = 0; IsUp && Replica.HasEffects; turns++)
        {
            Invariant.Require(turns < 10_000, "a replica comes to rest without inputs");
            Carry(Replica.TakeEffects());
            if (IsUp) CheckProgress();
        }
    }

    void Carry(Effects effects)
    {
        if (effects.Restore is { } restore) Install(restore);
        if (effects.Persist is { } persist)
        {
            foreach (var entry in persist.Entries) issued[entry.Index] = entry;
            Disk.Write(persist, sequence => Do(() => Replica.Persisted(sequence)));
        }
        foreach (var message in effects.Send) world.Network.Send(message);
        foreach (var to in effects.SnapshotsNeeded) SendSnapshot(to);
        if (effects.CutLog is { } upTo) Disk.Cut(upTo);
        if (effects.Published is { } view) Publish(view);
        foreach (var reply in effects.Replies) world.Answered(this, reply);
        foreach (var read in effects.Reads) world.ReadReady(this, read);
        if (!effects.Removed) return;
        IsGone = true;
        Crash();
    }

    void Publish(StateView view)
    {
        if (world.Options.Bug == Bug.WatchSkips && view.Revision > Hub!.Published.Next) Hub.Publish(view.Revision, new LastRevisionOnly(view));
        else Hub!.Publish(view.Revision, view.Events);
    }

    void SendSnapshot(NodeId to) => Later(world.Random.Next(1_000, 50_000), () =>
    {
        var state = Replica.State;
        var content = Disk.Engine.Fork();
        var index = world.Options.Bug == Bug.SnapshotTooOld ? state.Applied + 1 : state.Applied;
        var message = new Message.InstallSnapshot(id, to, Replica.Status.Term, new(index, state.AppliedTerm, state.Config));
        world.SnapshotsSent++;
        world.Network.SendSnapshot(message, content, delivered => Do(() => Replica.ReportSnapshot(to, index, delivered)));
    });

    /// <summary>First the engine is replaced, then the log restarts behind it; a crash between finds an engine ahead of its log.</summary>
    void Install(SnapshotMetadata snapshot)
    {
        Disk.Held = true;
        Later(world.Random.Next(1_000, 30_000), () =>
        {
            Disk.Engine = received[snapshot.Index].Fork();
            received.Clear();
            checkedApplied = snapshot.Index;
            var state = StateMachine.Open(Disk.Engine, world.StateOptions);
            Do(() => Replica.Restored(state));
            if (IsUp) Disk.Release(sequence => Do(() => Replica.Persisted(sequence)));
        });
    }

    void CheckProgress()
    {
        var status = Replica.Status;
        if (world.Leaders.SawNew(status)) world.Nemesis.Elected(id);
        while (checkedApplied < status.Applied)
        {
            checkedApplied = checkedApplied.Next;
            world.Committed.Applied(id, issued[checkedApplied]);
        }
    }

    public ClusterView Cluster => Replica.State.View.Cluster;

    public RangeResult Range(RangeRequest request) => Replica.State.View.Range(request);

    public void Propose(Command command) => Do(() =>
    {
        Replica.State.Seal(command, LeaseId.None);
        Replica.Propose(command);
    });
}

/// <summary>The deliberate mistake of <see cref="Bug.WatchSkips"/>: of a batch of revisions only the last is shown to the hub.</summary>
sealed class LastRevisionOnly(StateView view) : IEventHistory
{
    public Revision Compacted => view.Events.Compacted;

    public IEnumerable<RevisionEvents>? Read(Revision from, Revision to) => view.Events.Read(to, to);

    public bool InMemory(Revision from) => true;

    public ReadOnlyMemory<byte>? Previous(StoredEvent storedEvent) => view.Events.Previous(storedEvent);
}
