using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.Simulation;

/// <summary>Bad luck: what goes wrong next, and when it is mended.</summary>
sealed class Faults(World world)
{
    const ulong FirstNewcomer = 100;

    /// <summary>In every third story bad luck comes in quick succession: what needs two accidents within one election only shows there.</summary>
    readonly bool frantic = world.Options.Seed % 3 == 0;
    bool stopped;
    bool rotten;
    ulong nextMember = FirstNewcomer;

    public int Crashes { get; private set; }

    public void Start()
    {
        if (!world.Nemesis.IsAlone) Plan();
    }

    public void Stop() => stopped = true;

    void Plan() => world.Schedule.After(frantic ? world.Random.Next(10_000, 300_000) : world.Random.Next(100_000, 2_500_000), () =>
    {
        if (stopped) return;
        Strike();
        Plan();
    });

    void Strike()
    {
        var members = world.Members.Where(member => !member.IsGone).ToList();
        var kinds = Enum.GetValues<Fault>().Where(kind => kind is not (Fault.None or Fault.All) && world.Options.Faults.HasFlag(kind)).ToArray();
        if (kinds.Length == 0) return;
        var victim = members[world.Random.Next(members.Count)];
        switch (kinds[world.Random.Next(kinds.Length)])
        {
            case Fault.Network:
                world.Network.Shake(world.Random);
                After(5_000_000, world.Network.Heal);
                break;
            case Fault.Partition:
                world.Network.Partition([.. members.Select(member => member.Id)], world.Random);
                After(6_000_000, world.Network.Heal);
                break;
            case Fault.Crash:
                var victims = world.Random.Next(6) == 0 ? members : [victim];
                foreach (var member in victims) Crash(member);
                break;
            case Fault.Pause:
                victim.Pause();
                After(5_000_000, victim.Resume);
                break;
            case Fault.Membership when !rotten:
                ChangeMembership();
                break;
            case Fault.Rot when !rotten && victim.IsUp && nextMember == FirstNewcomer:
                // One in a story, of three or five: of two or four that differ, nobody could tell who is right.
                rotten = true;
                Crash(victim);
                victim.Disk.Rot();
                break;
        }
    }

    void Crash(SimMember member)
    {
        if (member.IsUp) Crashes++;
        member.Crash();
        After(4_000_000, member.Start);
    }

    /// <summary>Mends what was broken after a while, at most; healing everything at the end does it too.</summary>
    void After(int microsecondsMax, Action mend) => world.Schedule.After(world.Random.Next(10_000, frantic ? microsecondsMax / 8 : microsecondsMax), () =>
    {
        if (!stopped) mend();
    });

    /// <summary>Adds a learner, promotes one, or takes a member away: whichever the present list invites to.</summary>
    void ChangeMembership()
    {
        var leader = world.UpMembers.FirstOrDefault(member => !member.IsPaused && member.Replica.IsLeader);
        if (leader is null) return;
        var cluster = leader.Cluster.Members.Values.ToList();
        var learner = cluster.FirstOrDefault(member => member.IsLearner);
        var voters = cluster.Where(member => !member.IsLearner).ToList();
        if (learner is not null) Change(leader, ConfigChangeKind.Promote, learner.Id);
        else if (voters.Count > world.Options.Members) Change(leader, ConfigChangeKind.Remove, voters[world.Random.Next(voters.Count)].Id);
        else Add(leader);
    }

    void Add(SimMember leader)
    {
        var id = new NodeId(nextMember++);
        world.AddMember(id);
        Change(leader, ConfigChangeKind.AddLearner, id);
        // It may start before the change is committed, or be added in vain: both happen.
        world.Schedule.After(world.Random.Next(1_000_000), () => world.Member(id)!.Start());
    }

    void Change(SimMember leader, ConfigChangeKind kind, NodeId id)
    {
        var change = new MemberChange { RequestId = world.History.NewRequestId(), Member = World.MemberOf(id, kind == ConfigChangeKind.AddLearner) };
        leader.Do(() => leader.Replica.ChangeMembership(kind, change));
    }
}
