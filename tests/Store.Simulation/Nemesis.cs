using Store.Raft;

namespace Store.Simulation;

/// <summary>
/// Bad luck that aims. Some mistakes need several accidents in the same moment, which chance alone hardly ever brings together:
/// <list type="bullet">
/// <item>Leaders that are cut off right after they were elected, again and again, leave entries of many terms behind (Raft, figure 8).</item>
/// <item>Members that die right after they have given their vote, and are back at once, while another asks for the same term's vote.</item>
/// </list>
/// Every fifth story has the one, every fifth the other; half of them nothing else.
/// </summary>
sealed class Nemesis(World world)
{
    readonly bool huntsLeaders = world.Options.Seed % 5 == 1 && world.Options.Faults.HasFlag(Fault.Partition);
    readonly bool huntsVoters = world.Options.Seed % 5 == 2 && world.Options.Faults.HasFlag(Fault.Crash);
    bool stopped;

    /// <summary>No other bad luck in this story.</summary>
    public bool IsAlone => (huntsLeaders || huntsVoters) && world.Options.Seed / 5 % 2 == 0;

    public void Start()
    {
        // So slow that two candidates of one term are nothing rare.
        if (huntsVoters) world.Network.Slowest = 300_000;
    }

    public void Stop() => stopped = true;

    public void Elected(NodeId leader)
    {
        if (stopped) return;
        if (huntsVoters) Restart(leader, world.Random.Next(1_000_000));
        if (!huntsLeaders) return;
        // At once: nobody hears of its first entry. A little later: somebody has part of what it says.
        if (world.Random.Next(2) == 0) world.Network.Isolate(leader);
        else world.Schedule.After(world.Random.Next(15_000), () =>
        {
            if (!stopped) world.Network.Isolate(leader);
        });
    }

    public void Sent(Message message)
    {
        if (huntsVoters && !stopped && message is Message.VoteReply { Granted: true } && world.Random.Next(2) == 0) Restart(message.From, world.Random.Next(2_000));
    }

    void Restart(NodeId id, long after) => world.Schedule.After(after, () =>
    {
        if (stopped || world.Member(id) is not { IsUp: true } member) return;
        member.Crash();
        world.Schedule.After(world.Random.Next(3_000), member.Start);
    });
}
