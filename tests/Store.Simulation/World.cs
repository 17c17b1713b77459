using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Simulation;

/// <summary>What a run came to, for those who want to know that it did something.</summary>
public sealed record SimulationReport(long Steps, int CommittedEntries, int Acknowledged, int Reads, int Events, int Crashes, int Elections, int Snapshots);

/// <summary>A whole cluster in one thread, with its clients, watchers and bad luck; everything in it follows from the seed.</summary>
public sealed class World
{
    readonly SortedDictionary<NodeId, SimMember> members = [];
    readonly List<SimClient> clients = [];
    readonly List<SimWatcher> watchers = [];
    readonly List<ulong> probes = [];
    readonly Faults faults;
    bool calm;

    World(SimulationOptions options)
    {
        Options = options;
        Random = new(options.Seed);
        Network = new(this);
        Nemesis = new(this);
        faults = new(this);
    }

    internal int SnapshotsSent { get; set; }

    internal SimulationOptions Options { get; }

    internal Random Random { get; }

    internal Schedule Schedule { get; } = new();

    internal SimNetwork Network { get; }

    internal Nemesis Nemesis { get; }

    internal LeaderCheck Leaders { get; } = new();

    internal CommittedLog Committed { get; } = new();

    internal History History { get; } = new();

    internal StateOptions StateOptions { get; } = new() { ValueCacheBytes = 2_000, EventTailBytes = 4_000 };

    internal IEnumerable<SimMember> Members => members.Values;

    internal IReadOnlyList<SimMember> UpMembers => [.. members.Values.Where(member => member.IsUp)];

    /// <summary>Runs the story to its end. Throws <see cref="SimulationFailureException"/> when a guarantee does not hold.</summary>
    public static SimulationReport Run(SimulationOptions options)
    {
        var world = new World(options);
        try
        {
            world.Found();
            world.Schedule.RunUntil(options.FaultyMilliseconds * 1000L);
            world.ComeTogether();
            world.Check();
            return world.Report();
        }
        catch (Exception broken) when (broken is InvariantException or SimulationFailureException or InvalidOperationException or ArgumentException or NullReferenceException or KeyNotFoundException)
        {
            throw new SimulationFailureException(
                $"seed {options.Seed}, {world.Schedule.Now / 1000} ms, step {world.Schedule.Step}: {broken.Message}\n  replay: {options.Replay}", broken);
        }
    }

    void Found()
    {
        var founders = Enumerable.Range(1, Options.Members).Select(number => new NodeId((ulong)number)).ToList();
        var bootstrap = founders.Select((member, position) => Bootstrap(member, position + 1)).ToList();
        foreach (var founder in founders) AddMember(founder).Disk.Found(bootstrap);
        foreach (var member in members.Values) member.Start();
        for (var i = 0; i < Options.Clients; i++) clients.Add(new(this, i));
        for (var i = 0; i < Options.Watchers; i++) watchers.Add(new(this, i));
        foreach (var client in clients) client.Start();
        foreach (var watcher in watchers) watcher.Start();
        Nemesis.Start();
        faults.Start();
    }

    static Entry Bootstrap(NodeId member, int index)
    {
        var change = new MemberChange { Member = MemberOf(member, learner: false) };
        return new(new(1), new((ulong)index), EntryKind.ConfigChange, new ConfigChange(ConfigChangeKind.AddVoter, member, change.ToByteArray()).Encode());
    }

    internal static Member MemberOf(NodeId id, bool learner) =>
        new() { ID = id.Value, Name = $"m{id.Value}", PeerURLs = { $"http://m{id.Value}:2380" }, ClientURLs = { $"http://m{id.Value}:2379" }, IsLearner = learner };

    internal SimMember AddMember(NodeId id) => members[id] = new(this, id);

    internal SimMember? Member(NodeId id) => members.GetValueOrDefault(id);

    internal ReplicaOptions ReplicaOptions(NodeId id) => new()
    {
        // Every other story carries its entries one by one.
        Raft = new() { Id = id, AppendBytesMax = Options.Seed % 2 == 0 ? 1 << 20 : 1, CountsOldTerms = Options.Bug == Bug.CommitOldTermByCounting },
        TickMilliseconds = SimMember.TickMicroseconds / 1000,
        State = StateOptions,
        // So small that members fall behind the log and need snapshots.
        CatchUpEntries = 20,
        CatchUpBytes = 10_000,
    };

    internal long DiskDelay() => Options.Faults.HasFlag(Fault.SlowDisk) && !calm && Random.Next(50) == 0
        ? Random.Next(50_000, 1_500_000)
        : Random.Next(50, 3_000);

    internal long TickDelay(NodeId id) => Options.Faults.HasFlag(Fault.Clock) && !calm
        ? SimMember.TickMicroseconds * (80 + (long)(id.Value * 13 % 45)) / 100
        : SimMember.TickMicroseconds;

    internal int TicksAtOnce() => Options.Faults.HasFlag(Fault.Clock) && !calm && Random.Next(200) == 0 ? Random.Next(2, 30) : 1;

    internal void Answered(SimMember member, Reply reply) => History.Answered(Schedule.Step, member, reply);

    internal void ReadReady(SimMember member, ReadReply read) => History.ReadReady(Schedule.Step, member, read);

    /// <summary>Everything heals; then the cluster must have a leader, take a write, and all members must come to the same state.</summary>
    void ComeTogether()
    {
        Nemesis.Stop();
        faults.Stop();
        calm = true;
        Network.Heal();
        foreach (var client in clients) client.Stop();
        foreach (var member in members.Values)
        {
            member.Resume();
            member.Start();
        }
        var until = Schedule.Now + 120_000_000;
        Probe(until);
        if (!Schedule.RunUntil(until, () => probes.Exists(Committed.Contains) && AllApplied() && AllAgree())) throw new SimulationFailureException($"after healing the members do not come together: {Standing()}");
        Schedule.RunUntil(until, () => watchers.TrueForAll(watcher => watcher.HasSeen(Committed.Model.Revision)));
    }

    /// <summary>Writes until a write stands in the log: the cluster must become able to.</summary>
    void Probe(long until)
    {
        if (probes.Exists(Committed.Contains) || Schedule.Now > until) return;
        var id = History.NewRequestId();
        probes.Add(id);
        UpMembers[Random.Next(UpMembers.Count)].Propose(new() { RequestId = id, Put = new() { Key = ByteString.CopyFromUtf8("probe"), Value = ByteString.CopyFromUtf8("1") } });
        Schedule.After(1_000_000, () => Probe(until));
    }

    bool AllApplied()
    {
        var live = Members.Where(member => !member.IsGone && Committed.Model.IsMember(member.Id)).ToList();
        return live.TrueForAll(member => member.IsUp && member.Replica.Status.Applied == Committed.Last);
    }

    /// <summary>A member whose state had rotted was found and given another's.</summary>
    bool AllAgree()
    {
        var views = Members.Where(member => member.IsUp && Committed.Model.IsMember(member.Id)).Select(member => member.Replica.State.View).ToList();
        return views.TrueForAll(view => view.StateHash == views[0].StateHash && view.Cluster.Alarms.IsEmpty);
    }

    string Standing() => string.Join("; ", Members.Select(member => member.IsUp
        ? $"{member.Id}: {member.Replica.Status.Role} term {member.Replica.Status.Term} commit {member.Replica.Status.Commit} applied {member.Replica.Status.Applied} of {Committed.Last} {member.Replica.Status.Config} hash {member.Replica.State.View.StateHash:x} diverged [{string.Join(' ', member.Cluster.Diverged)}]"
        : $"{member.Id}: {(member.IsGone ? "gone" : "down")}"));

    void Check()
    {
        History.Check(Committed);
        foreach (var watcher in watchers) watcher.Check(Committed.Model);
        StateCheck.Same([.. Members.Where(member => member.IsUp && Committed.Model.IsMember(member.Id))], Committed.Model);
    }

    SimulationReport Report() => new(
        Schedule.Step, Committed.Count, History.Acknowledged, History.Reads, watchers.Sum(watcher => watcher.EventCount), faults.Crashes, Leaders.Count, SnapshotsSent);
}
