namespace Store.Raft.Tests;

/// <summary>
/// A cluster that is treated badly: messages are lost, repeated and reordered, disks are slow and crash with writes under way, wires are cut,
/// logs compacted, members added and removed. After every step the checker looks; in the end everything heals and must converge.
/// </summary>
internal sealed class RandomWalk
{
    private const int MembersMax = 7;

    private readonly TestCluster _cluster;
    private readonly ClusterChecker _checker;
    private readonly Random _random;
    private readonly List<(int Weight, Action Act)> _actions;
    private readonly int _weights;
    private int _commands;

    public RandomWalk(int seed)
    {
        _cluster = new(voters: seed % 4 == 0 ? 5 : 3, seed, o => o with
        {
            AppendBytesMax = 100,
            InflightAppendsMax = 3,
            CommittedBytesMax = 150,
        });
        _random = _cluster.Random;
        _checker = new(_cluster);
        _cluster.Turned = _checker.Turned;
        _cluster.Sent = (message, _) => _checker.Sent(message);
        foreach (var id in _cluster.Members.Keys) _cluster.SlowDisks.Add(id);
        _actions =
        [
            (300, Deliver),
            (150, () => _cluster.Turn(Any())),
            (120, () => Any().Sync(_random.Next(1, 4))),
            (60, () => Any().Node.Tick()),
            (25, Propose),
            (8, _cluster.ServeSnapshots),
            (2, _cluster.Heal),
            // Each seed has its own mix of these: a little of everything at once seldom gets deep into anything.
            (Mixed(10), () => _checker.Read(Any())),
            (Mixed(4), Crash),
            (Mixed(3), Cut),
            (Mixed(3), Compact),
            (Mixed(3), ChangeMembership),
            (Mixed(2), () => Any().Node.TransferLeadership(Any().Id)),
            (Mixed(2), () => Any().Node.ReportUnreachable(Any().Id)),
            (Mixed(2), () => Any().Node.Campaign()),
        ];
        _weights = _actions.Sum(a => a.Weight);
    }

    public int CommittedCount => _checker.CommittedCount;

    public void Run(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            var roll = _random.Next(_weights);
            _actions.First(a => (roll -= a.Weight) < 0).Act();
            _checker.Leaders();
        }
        HealAndConverge();
    }

    private int Mixed(int weight) => weight * _random.Next(4);

    private TestMember Any() => _cluster.Members.Values.ElementAt(_random.Next(_cluster.Members.Count));

    private TestMember LeaderOrAny() => _random.Next(4) > 0 ? _cluster.Leader ?? Any() : Any();

    private void Deliver()
    {
        if (_cluster.Wire.Count == 0) return;
        // Mostly old messages, so that most conversations get somewhere.
        var at = _random.Next(_random.Next(5) > 0 ? Math.Min(4, _cluster.Wire.Count) : _cluster.Wire.Count);
        var message = _cluster.Wire[at];
        var fate = _random.Next(40);
        if (fate != 0) _cluster.Wire.RemoveAt(at);
        if (fate != 1 && _cluster.Members.TryGetValue(message.To, out var member)) member.Node.Step(message);
    }

    private void Propose()
    {
        var commands = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => TestCluster.Command($"command {++_commands}"));
        LeaderOrAny().Node.Propose([.. commands]);
    }

    private void Crash() => _cluster.Restart(Any().Id, written: _random.Next(3));

    private void Cut()
    {
        if (_random.Next(2) == 0) _cluster.Isolate((int)Any().Id.Value);
        else _cluster.Cut((int)Any().Id.Value, (int)Any().Id.Value);
    }

    private void Compact()
    {
        var member = Any();
        var first = member.Node.Status.FirstIndex.Value;
        if (member.AppliedIndex.Value > first) member.Compact(new((ulong)_random.NextInt64((long)first, (long)member.AppliedIndex.Value + 1)));
    }

    private void ChangeMembership()
    {
        if (_cluster.Leader is not { } leader) return;
        var config = leader.Node.Status.Config;
        switch (_random.Next(4))
        {
            case 0 when _cluster.Members.Count < MembersMax:
                var id = _cluster.Members.Count + 1;
                if (leader.Node.Propose([TestCluster.Change(_random.Next(2) == 0 ? ConfigChangeKind.AddLearner : ConfigChangeKind.AddVoter, id)]) != ProposeError.None) return;
                _cluster.SlowDisks.Add(_cluster.Add(new((ulong)id), MembershipConfig.Empty).Id);
                break;
            case 1 when !config.Learners.IsEmpty:
                leader.Node.Propose([TestCluster.Change(ConfigChangeKind.Promote, (int)config.Learners[0].Value)]);
                break;
            case 2 when config.Voters.Count > 2:
                leader.Node.Propose([TestCluster.Change(ConfigChangeKind.Remove, (int)config.Voters[_random.Next(config.Voters.Count)].Value)]);
                break;
            case 3:
                leader.Node.Propose([TestCluster.Change(ConfigChangeKind.Update, (int)config.Voters[0].Value), TestCluster.Command("beside")]);
                break;
        }
    }

    private void HealAndConverge()
    {
        _cluster.Heal();
        _cluster.SlowDisks.Clear();
        foreach (var member in _cluster.Members.Values) member.Sync();
        for (var i = 0; i < 20 && (i < 3 || _cluster.Leader is null); i++) _cluster.Tick(20);
        var leader = _cluster.Leader ?? throw new InvariantException("nobody leads after healing");
        Invariant.Require(leader.Node.Propose([TestCluster.Command("the last")]) == ProposeError.None);
        _cluster.Tick(30);
        Invariant.Require(_cluster.Leader!.AppliedCommands[^1] == "the last");
        _checker.Converged();
    }
}
