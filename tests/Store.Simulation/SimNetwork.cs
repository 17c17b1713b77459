using Store.Raft;
using Store.State;

namespace Store.Simulation;

/// <summary>Carries messages between members: late, out of order, twice or not at all, as the faults of the run allow.</summary>
sealed class SimNetwork(World world)
{
    readonly HashSet<(NodeId From, NodeId To)> cut = [];
    double loss;
    double duplication;

    /// <summary>The longest that a message takes, in microseconds.</summary>
    public long Slowest { get; set; } = 2_000;

    public void Shake(Random random)
    {
        loss = random.NextDouble() * 0.2;
        duplication = random.NextDouble() * 0.1;
        Slowest = random.Next(1_000, 80_000);
    }

    public void Heal()
    {
        cut.Clear();
        (loss, duplication, Slowest) = (0, 0, 2_000);
    }

    /// <summary>Nothing reaches the member, and nothing comes from it; everybody else is connected.</summary>
    public void Isolate(NodeId member)
    {
        cut.Clear();
        foreach (var other in world.Members)
        {
            cut.Add((member, other.Id));
            cut.Add((other.Id, member));
        }
    }

    /// <summary>Cuts the members in two; or, one way only, lets one side's messages through.</summary>
    public void Partition(IReadOnlyList<NodeId> members, Random random)
    {
        cut.Clear();
        var oneWay = random.Next(4) == 0;
        var side = members.Where(_ => random.Next(2) == 0).ToHashSet();
        foreach (var from in members)
        {
            foreach (var to in members)
            {
                if (side.Contains(from) && !side.Contains(to)) cut.Add((from, to));
                if (!oneWay && !side.Contains(from) && side.Contains(to)) cut.Add((from, to));
            }
        }
    }

    public void Send(Message message)
    {
        if (message is Message.HashQuestion && world.Options.Bug == Bug.NeverCompare) return;
        message = Spoil(message);
        world.Nemesis.Sent(message);
        // A connection never says a thing twice; what the core repeats, it may receive twice. Requests are said once.
        var copies = message is not Message.Propose && world.Random.NextDouble() < duplication ? 2 : 1;
        if (message is Message.Propose && world.Options.Bug == Bug.ProposeTwice && world.Random.Next(4) == 0) copies = 2;
        for (var i = 0; i < copies; i++)
        {
            if (world.Random.NextDouble() < loss || cut.Contains((message.From, message.To))) Lose(message);
            else world.Schedule.After(Delay(), () => Deliver(message, () => world.Member(message.To)?.Receive(message)));
        }
    }

    /// <summary>A snapshot is a copy of an engine and the message that names it; it arrives whole or not at all.</summary>
    public void SendSnapshot(Message.InstallSnapshot message, MemoryEngine content, Action<bool> delivered)
    {
        if (world.Random.NextDouble() < loss || cut.Contains((message.From, message.To)))
        {
            world.Schedule.After(Delay(), () => delivered(false));
            return;
        }
        world.Schedule.After(5 * Delay(), () =>
        {
            var member = world.Member(message.To);
            var arrived = member is { IsUp: true } && !cut.Contains((message.From, message.To));
            if (arrived) member!.ReceiveSnapshot(message, content);
            delivered(arrived);
        });
    }

    void Deliver(Message message, Action receive)
    {
        if (cut.Contains((message.From, message.To)) || world.Member(message.To) is not { IsUp: true }) Lose(message);
        else receive();
    }

    void Lose(Message message)
    {
        if (world.Random.Next(3) == 0) world.Member(message.From)?.ReportUnreachable(message.To);
    }

    long Delay() => 100 + world.Random.NextInt64(Slowest);

    Message Spoil(Message message) => world.Options.Bug == Bug.AcknowledgeRefused && message is Message.AppendRejected refused
        ? new Message.AppendAccepted(refused.From, refused.To, refused.Term, refused.Rejected)
        : message;
}
