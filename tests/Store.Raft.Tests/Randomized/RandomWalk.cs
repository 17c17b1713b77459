namespace Store.Raft.Tests;

/// <summary>
/// A cluster that is treated badly: messages are lost, repeated and reordered, disks are slow and crash with writes under way, wires are cut,
/// logs compacted, members added and removed. After every step the checker looks; in the end everything heals and must converge.
/// </summary>
sealed class RandomWalk
{
    const int MembersMax = 7;

    readonly TestCluster cluster;
    readonly ClusterChecker checker;
    readonly Random random;
    readonly List<(int Weight, Action Act)> actions;
    readonly int weights;
    int commands;

    public RandomWalk(int seed)
    {
        cluster = new(voters: seed % 4 == 0 ? 5 : 3, seed, o => o with
        {
            AppendBytesMax = 100,
            InflightAppendsMax = 3,
            CommittedBytesMax = 150,
        });
        random = cluster.Random;
        checker = new(cluster);
        cluster.Turned = checker.Turned;
        cluster.Sent = (message, _) => checker.Sent(message);
        foreach (var id in cluster.Members.Keys) cluster.SlowDisks.Add(id);
        actions =
        [
            (300, Deliver),
            (150, () => cluster.Turn(Any())),
            (120, () => Any().Sync(random.Next(1, 4))),
            (60, () => Any().Node.Tick()),
            (25, Propose),
            (8, cluster.ServeSnapshots),
            (2, cluster.Heal),
            // Each seed has its own mix of these: a little of everything at once seldom gets deep into anything.
            (Mixed(10), () => checker.Read(Any())),
            (Mixed(4), Crash),
            (Mixed(3), Cut),
            (Mixed(3), Compact),
            (Mixed(3), ChangeMembership),
            (Mixed(2), () => Any().Node.TransferLeadership(Any().Id)),
            (Mixed(2), () => Any().Node.ReportUnreachable(Any().Id)),
            (Mixed(2), () => Any().Node.Campaign()),
        ];
        weights = actions.Sum(a => a.Weight);
    }

    public int CommittedCount => checker.CommittedCount;

    public void Run(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            var roll = random.Next(weights);
            actions.First(a => (roll -= a.Weight) < 0).Act();
            checker.Leaders();
        }
        HealAndConverge();
    }

    int Mixed(int weight) => weight * random.Next(4);

    TestMember Any() => cluster.Members.Values.ElementAt(random.Next(cluster.Members.Count));

    TestMember LeaderOrAny() => random.Next(4) > 0 ? cluster.Leader ?? Any() : Any();

    void Deliver()
    {
        if (cluster.Wire.Count == 0) return;
        // Mostly old messages, so that most conversations get somewhere.
        var at = random.Next(random.Next(5) > 0 ? Math.Min(4, cluster.Wire.Count) : cluster.Wire.Count);
        var message = cluster.Wire[at];
        var fate = random.Next(40);
        if (fate != 0) cluster.Wire.RemoveAt(at);
        if (fate != 1 && cluster.Members.TryGetValue(message.To, out var member)) member.Node.Step(message);
    }

    void Propose()
    {
        var commands = Enumerable.Range(0, random.Next(1, 4)).Select(_ => TestCluster.Command($"command {++this.commands}"));
        LeaderOrAny().Node.Propose([.. commands]);
    }

    void Crash() => cluster.Restart(Any().Id, written: random.Next(3));

    void Cut()
    {
        if (random.Next(2) == 0) cluster.Isolate((int)Any().Id.Value);
        else cluster.Cut((int)Any().Id.Value, (int)Any().Id.Value);
    }

    void Compact()
    {
        var member = Any();
        var first = member.Node.Status.FirstIndex.Value;
        if (member.AppliedIndex.Value > first) member.Compact(new((ulong)random.NextInt64((long)first, (long)member.AppliedIndex.Value + 1)));
    }

    void ChangeMembership()
    {
        if (cluster.Leader is not { } leader) return;
        var config = leader.Node.Status.Config;
        switch (random.Next(4))
        {
            case 0 when cluster.Members.Count < MembersMax:
                var id = cluster.Members.Count + 1;
                if (leader.Node.Propose([TestCluster.Change(random.Next(2) == 0 ? ConfigChangeKind.AddLearner : ConfigChangeKind.AddVoter, id)]) != ProposeError.None) return;
                cluster.SlowDisks.Add(cluster.Add(new((ulong)id), MembershipConfig.Empty).Id);
                break;
            case 1 when !config.Learners.IsEmpty:
                leader.Node.Propose([TestCluster.Change(ConfigChangeKind.Promote, (int)config.Learners[0].Value)]);
                break;
            case 2 when config.Voters.Count > 2:
                leader.Node.Propose([TestCluster.Change(ConfigChangeKind.Remove, (int)config.Voters[random.Next(config.Voters.Count)].Value)]);
                break;
            case 3:
                leader.Node.Propose([TestCluster.Change(ConfigChangeKind.Update, (int)config.Voters[0].Value), TestCluster.Command("beside")]);
                break;
        }
    }

    void HealAndConverge()
    {
        cluster.Heal();
        cluster.SlowDisks.Clear();
        foreach (var member in cluster.Members.Values) member.Sync();
        for (var i = 0; i < 20 && (i < 3 || cluster.Leader is null); i++) cluster.Tick(20);
        var leader = cluster.Leader ?? throw new InvariantException("nobody leads after healing");
        Invariant.Require(leader.Node.Propose([TestCluster.Command("the last")]) == ProposeError.None);
        cluster.Tick(30);
        Invariant.Require(cluster.Leader!.AppliedCommands[^1] == "the last");
        checker.Converged();
    }
}
