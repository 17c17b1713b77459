namespace Store.Raft.Tests;

/// <summary>
/// Runs a script: lines that start with "> " are commands, indented lines behind a command are what it is expected to show, all other lines are
/// prose. "> quiet COMMAND" shows roles, applied entries and reads only. Commands:
/// <code>
/// options NAME=N ...          for members added later: election heartbeat append-bytes inflight inflight-bytes uncommitted-bytes
/// add-nodes N | add-blank I   a cluster of N voters | a member that knows of nobody, to be added by a change
/// campaign I | tick I N | propose I TEXT ... | read I CONTEXT | transfer I TARGET | unreachable I J
/// change I KIND J             AddVoter AddLearner Promote Remove Update
/// turn I | settle             takes one Ready of I | takes all Readies there are; delivers nothing
/// deliver [I->J] | drop I->J  what is on the wire now
/// cut I->J | isolate I | heal
/// stabilize | tick-all N      until nothing is left to do | N ticks everywhere, each stabilized
/// slow-disk I | persist I N   I's writes wait | the next N of them are done
/// crash I [N]                 I starts again from disk, where N more of the waiting writes had arrived
/// compact I INDEX | snapshot I->J INDEX delivered|lost   (by hand; stabilize streams them by itself)
/// status I | log I
/// </code>
/// </summary>
internal sealed class Script
{
    private readonly TestCluster _cluster = new();
    private readonly SortedDictionary<NodeId, (RaftRole, Term, NodeId)> _roles = [];
    private readonly List<string> _shown = [];
    private bool _quiet;

    public Script()
    {
        _cluster.Turned = (member, ready) =>
        {
            foreach (var line in Description.Of(member.Id, ready))
            {
                if (!_quiet || !line.Contains(" writes #")) _shown.Add(line);
            }
            ShowRoles();
        };
        _cluster.Sent = (message, passes) =>
        {
            if (!_quiet) _shown.Add(Description.Of(message) + (passes ? "" : " (lost)"));
        };
    }

    /// <summary>The script with what its commands really show.</summary>
    public static string Run(string text)
    {
        var script = new Script();
        var result = new List<string>();
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("    ", StringComparison.Ordinal)) continue;
            result.Add(line);
            if (!line.StartsWith("> ", StringComparison.Ordinal)) continue;
            result.AddRange(script.Execute(line[2..].Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(shown => "    " + shown));
        }
        return string.Join('\n', result);
    }

    private List<string> Execute(string[] words)
    {
        _shown.Clear();
        _quiet = words[0] == "quiet";
        if (_quiet) words = words[1..];
        try
        {
            Dispatch(words[0], words[1..]);
            ShowRoles();
        }
        catch (InvariantException e)
        {
            _shown.Add($"STOPS: {e.Message[(e.Message.IndexOf(": ", StringComparison.Ordinal) + 2)..]}");
        }
        return _shown;
    }

    private void Dispatch(string command, string[] words)
    {
        switch (command)
        {
            case "options": SetOptions(words); break;
            case "add-nodes": AddNodes(int.Parse(words[0])); break;
            case "add-blank": _cluster.Add(Id(words[0]), MembershipConfig.Empty); break;
            case "campaign": Node(words[0]).Campaign(); break;
            case "tick": Times(words, 1, () => Node(words[0]).Tick()); break;
            case "propose": Show(Node(words[0]).Propose([.. words[1..].Select(TestCluster.Command)])); break;
            case "change": Show(Node(words[0]).Propose([TestCluster.Change(Enum.Parse<ConfigChangeKind>(words[1]), int.Parse(words[2]))])); break;
            case "read": Node(words[0]).ReadIndex(ulong.Parse(words[1])); break;
            case "transfer": Node(words[0]).TransferLeadership(Id(words[1])); break;
            case "unreachable": Node(words[0]).ReportUnreachable(Id(words[1])); break;
            case "turn": _cluster.Turn(Member(words[0])); break;
            case "settle": _cluster.Settle(); break;
            case "deliver": _cluster.Deliver(words.Length == 0 ? _ => true : Along(words[0])); break;
            case "drop": _cluster.Wire.RemoveAll(new Predicate<Message>(Along(words[0]))); break;
            case "cut": _cluster.Cut(Wire(words[0]).From, Wire(words[0]).To); break;
            case "isolate": _cluster.Isolate(int.Parse(words[0])); break;
            case "heal": _cluster.Heal(); break;
            case "stabilize": _cluster.Stabilize(); break;
            case "tick-all": _cluster.Tick(int.Parse(words[0])); break;
            case "slow-disk": _cluster.SlowDisks.Add(Id(words[0])); break;
            case "persist": Member(words[0]).Sync(int.Parse(words[1])); break;
            case "crash": _cluster.Restart(Id(words[0]), words.Length > 1 ? int.Parse(words[1]) : 0); break;
            case "compact": Member(words[0]).Compact(new(ulong.Parse(words[1]))); break;
            case "snapshot": ReportSnapshot(words); break;
            case "status": ShowStatus(Node(words[0]).Status); break;
            case "log": ShowLog(Node(words[0])); break;
            default: throw new ArgumentException($"no such command: {command}", nameof(command));
        }
    }

    private void SetOptions(string[] settings)
    {
        var options = new RaftOptions { Id = new(1) };
        foreach (var setting in settings.Select(s => s.Split('=')))
        {
            var n = int.Parse(setting[1]);
            options = setting[0] switch
            {
                "election" => options with { ElectionTimeoutTicks = n },
                "heartbeat" => options with { HeartbeatTicks = n },
                "append-bytes" => options with { AppendBytesMax = n },
                "inflight" => options with { InflightAppendsMax = n },
                "inflight-bytes" => options with { InflightBytesMax = n },
                "uncommitted-bytes" => options with { UncommittedBytesMax = n },
                _ => throw new ArgumentException($"no such option: {setting[0]}", nameof(settings)),
            };
        }
        _cluster.OptionsOf = o => options with { Id = o.Id };
    }

    private void AddNodes(int count)
    {
        var config = MembershipConfig.Of(Enumerable.Range(1, count).Select(i => new NodeId((ulong)i)));
        foreach (var id in config.Voters) _cluster.Add(id, config);
    }

    private void ReportSnapshot(string[] words)
    {
        var (from, to) = Wire(words[0]);
        var member = _cluster[from];
        member.SnapshotsNeeded.Clear();
        var index = new LogIndex(ulong.Parse(words[1]));
        if (words[2] == "delivered")
        {
            var snapshot = new SnapshotMetadata(index, member.Applied[(int)index.Value - 1].Term, member.AppliedPoint.Config);
            _cluster.Wire.Add(new Message.InstallSnapshot(member.Id, new((ulong)to), member.Node.Status.Term, snapshot));
        }
        member.Node.ReportSnapshot(new((ulong)to), index, words[2] == "delivered");
    }

    private void Show(ProposeError error)
    {
        if (error != ProposeError.None) _shown.Add($"refused: {error}");
    }

    private void ShowRoles()
    {
        foreach (var (id, member) in _cluster.Members)
        {
            var status = member.Node.Status;
            var now = (status.Role, status.Term, status.Leader);
            if (!_roles.TryGetValue(id, out var before)) before = (RaftRole.Follower, Term.Zero, NodeId.None);
            _roles[id] = now;
            if (now == before) continue;
            _shown.Add($"{id} is {status.Role} in term {status.Term}{(status.Role == RaftRole.Follower ? status.Leader.IsNone ? ", of nobody" : $", of {status.Leader}" : "")}");
        }
    }

    private void ShowStatus(RaftStatus status)
    {
        _shown.Add($"{status.Role} term {status.Term} commit {status.Commit} applied {status.Applied} log {status.FirstIndex}..{status.LastIndex} {status.Config}{(status.TransferTarget.IsNone ? "" : $" handing over to {status.TransferTarget}")}");
        foreach (var f in status.Followers) _shown.Add($"{f.Id}: {f.State} match {f.Match} next {f.Next}{(f.IsLearner ? " learner" : "")}{(f.Active ? "" : " silent")}");
    }

    private void ShowLog(RaftNode node)
    {
        for (var i = node.Status.FirstIndex; i <= node.Status.LastIndex; i = i.Next) _shown.Add(Description.Of(node.Log[i]));
    }

    private TestMember Member(string id) => _cluster.Members[Id(id)];

    private RaftNode Node(string id) => Member(id).Node;

    private static void Times(string[] words, int at, Action act)
    {
        for (var i = words.Length > at ? int.Parse(words[at]) : 1; i > 0; i--) act();
    }

    private static NodeId Id(string text) => new(ulong.Parse(text));

    private static (int From, int To) Wire(string text) => (int.Parse(text.Split("->")[0]), int.Parse(text.Split("->")[1]));

    private static Func<Message, bool> Along(string text)
    {
        var (from, to) = Wire(text);
        return message => message.From == new NodeId((ulong)from) && message.To == new NodeId((ulong)to);
    }
}
