using System.Text;

namespace Store.Raft.Tests;

/// <summary>
/// Members and the wires between them, driven by hand: nothing happens between calls. Wires keep order and lose only what a test cuts; the
/// randomized test takes messages from <see cref="Wire"/> as it pleases.
/// </summary>
sealed class TestCluster
{
    readonly SortedDictionary<NodeId, TestMember> members = [];
    readonly HashSet<(NodeId From, NodeId To)> cut = [];
    readonly int seed;

    public TestCluster(int voters = 0, int seed = 1, Func<RaftOptions, RaftOptions>? options = null)
    {
        (this.seed, Random) = (seed, new Random(seed));
        OptionsOf = options ?? (o => o);
        var config = MembershipConfig.Of(Enumerable.Range(1, voters).Select(i => new NodeId((ulong)i)));
        foreach (var id in config.Voters) Add(id, config);
    }

    public Random Random { get; }

    public Func<RaftOptions, RaftOptions> OptionsOf { get; set; }

    public IReadOnlyDictionary<NodeId, TestMember> Members => members;

    public TestMember this[int id] => members[new((ulong)id)];

    /// <summary>Messages on their way, in the order of sending.</summary>
    public List<Message> Wire { get; } = [];

    /// <summary>Members whose disks wait for <see cref="TestMember.Sync"/>; all others are durable at once.</summary>
    public HashSet<NodeId> SlowDisks { get; } = [];

    /// <summary>Called for each message that is sent, and whether it got on the wire.</summary>
    public Action<Message, bool>? Sent { get; set; }

    public Action<TestMember, Ready>? Turned { get; set; }

    public TestMember? Leader => members.Values.Where(m => m.Node.Status.Role == RaftRole.Leader).MaxBy(m => m.Node.Status.Term);

    public TestMember Add(NodeId id, MembershipConfig config)
    {
        var member = new TestMember(OptionsOf(new() { Id = id }), config, RandomOf(id), StateAt);
        members.Add(id, member);
        return member;
    }

    public void Restart(NodeId id, int written = 0) => members[id].Restart(RandomOf(id), written);

    public void Cut(int from, int to) => cut.Add((new((ulong)from), new((ulong)to)));

    public void Heal() => cut.Clear();

    public void Isolate(int id)
    {
        foreach (var other in members.Keys.Where(other => other != new NodeId((ulong)id)))
        {
            Cut(id, (int)other.Value);
            Cut((int)other.Value, id);
        }
    }

    /// <summary>Takes one Ready of the member, if there is one.</summary>
    public bool Turn(TestMember member)
    {
        if (!member.Node.HasReady) return false;
        var ready = member.Turn();
        Turned?.Invoke(member, ready);
        foreach (var message in ready.Messages) Send(message);
        if (!SlowDisks.Contains(member.Id)) member.Sync();
        return true;
    }

    /// <summary>Takes Readies until nobody has one; delivers nothing.</summary>
    public void Settle()
    {
        while (members.Values.Aggregate(false, (any, member) => Turn(member) || any)) { }
    }

    /// <summary>Delivers the oldest message.</summary>
    public bool DeliverOne()
    {
        if (Wire.Count == 0) return false;
        var message = Wire[0];
        Wire.RemoveAt(0);
        if (members.TryGetValue(message.To, out var member)) member.Node.Step(message);
        return true;
    }

    /// <summary>Runs until all is said and done: no Ready and no message is left.</summary>
    public void Stabilize()
    {
        for (var steps = 0; ; steps++)
        {
            Invariant.Require(steps < 100_000, "the cluster comes to rest");
            Settle();
            ServeSnapshots();
            if (!DeliverOne()) return;
        }
    }

    public void Tick(int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            foreach (var member in members.Values) member.Node.Tick();
            Stabilize();
        }
    }

    public void Elect(int id)
    {
        this[id].Node.Campaign();
        Stabilize();
        Invariant.Require(this[id].Node.Status.Role == RaftRole.Leader, "the election is won");
    }

    public static ProposedEntry Command(string text) => new(EntryKind.Normal, Encoding.UTF8.GetBytes(text));

    public static ProposedEntry Change(ConfigChangeKind kind, int id) => new(EntryKind.ConfigChange, new ConfigChange(kind, new((ulong)id), default).Encode());

    public ProposeError Propose(int id, params string[] commands) => this[id].Node.Propose([.. commands.Select(Command)]);

    /// <summary>Delivers what is on the wire now, and nothing that comes of it.</summary>
    public void Deliver(Func<Message, bool> which)
    {
        var due = Wire.FindAll(m => which(m));
        Wire.RemoveAll(m => which(m));
        foreach (var message in due)
        {
            if (members.TryGetValue(message.To, out var member)) member.Node.Step(message);
        }
    }

    /// <summary>Streams the snapshots that leaders have asked for: the state of the leader at its applied index.</summary>
    public void ServeSnapshots()
    {
        foreach (var member in members.Values)
        {
            foreach (var id in member.SnapshotsNeeded) SendSnapshot(member, id);
            member.SnapshotsNeeded.Clear();
        }
    }

    void SendSnapshot(TestMember from, NodeId to)
    {
        var point = from.AppliedPoint;
        var delivered = Send(new Message.InstallSnapshot(from.Id, to, from.Node.Status.Term, point));
        from.Node.ReportSnapshot(to, point.Index, delivered);
    }

    bool Send(Message message)
    {
        var passes = !cut.Contains((message.From, message.To));
        Sent?.Invoke(message, passes);
        if (passes) Wire.Add(message);
        return passes;
    }

    /// <summary>What was applied up to the index, by whoever got there.</summary>
    IReadOnlyList<Entry> StateAt(LogIndex index) =>
        [.. members.Values.First(m => m.AppliedIndex >= index).Applied.TakeWhile(e => e.Index <= index)];

    Random RandomOf(NodeId id) => new(unchecked((seed * 7919) + (int)id.Value + Random.Next(1 << 20)));
}
