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
sealed class Script
{
    readonly TestCluster cluster = new();
    readonly SortedDictionary<NodeId, (RaftRole, Term, NodeId)> roles = [];
    readonly List<string> shown = [];
    bool quiet;

    public Script()
    {
        cluster.Turned = (member, ready) =>
        {
            foreach (var line in Description.Of(member.Id, ready))
            {
                if (!quiet || !line.Contains(" writes #")) shown.Add(line);
            }
            ShowRoles();
        };
        cluster.Sent = (message, passes) =>
        {
            if (!quiet) shown.Add(Description.Of(message) + (passes ? "" : " (lost)"));
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

    List<string> Execute(string[] words)
    {
        shown.Clear();
        quiet = words[0] == "quiet";
        if (quiet) words = words[1..];
        try
        {
            Dispatch(words[0], words[1..]);
            ShowRoles();
        }
        catch (InvariantException e)
        {
            shown.Add($"STOPS: {e.Message[(e.Message.IndexOf(": ", StringComparison.Ordinal) + 2)..]}");
        }
        return shown;
    }

    void Dispatch(string command, string[] words)
    {
        switch (command)
        {
            case "options": SetOptions(words); break;
            case "add-nodes": AddNodes(int.Parse(words[0])); break;
            case "add-blank": cluster.Add(Id(words[0]), MembershipConfig.Empty); break;
            case "campaign": Node(words[0]).Campaign(); break;
            case "tick": Times(words, 1, () => Node(words[0]).Tick()); break;
            case "propose": Show(Node(words[0]).Propose([.. words[1..].Select(TestCluster.Command)])); break;
            case "change": Show(Node(words[0]).Propose([TestCluster.Change(Enum.Parse<ConfigChangeKind>(words[1]), int.Parse(words[2]))])); break;
            case "read": Node(words[0]).ReadIndex(ulong.Parse(words[1])); break;
            case "transfer": Node(words[0]).TransferLeadership(Id(words[1])); break;
            case "unreachable": Node(words[0]).ReportUnreachable(Id(words[1])); break;
            case "turn": cluster.Turn(Member(words[0])); break;
            case "settle": cluster.Settle(); break;
            case "deliver": cluster.Deliver(words.Length == 0 ? _ => true : Along(words[0])); break;
            case "drop": cluster.Wire.RemoveAll(new Predicate<Message>(Along(words[0]))); break;
            case "cut": cluster.Cut(Wire(words[0]).From, Wire(words[0]).To); break;
            case "isolate": cluster.Isolate(int.Parse(words[0])); break;
            case "heal": cluster.Heal(); break;
            case "stabilize": cluster.Stabilize(); break;
            case "tick-all": cluster.Tick(int.Parse(words[0])); break;
            case "slow-disk": cluster.SlowDisks.Add(Id(words[0])); break;
            case "persist": Member(words[0]).Sync(int.Parse(words[1])); break;
            case "crash": cluster.Restart(Id(words[0]), words.Length > 1 ? int.Parse(words[1]) : 0); break;
            case "compact": Member(words[0]).Compact(new(ulong.Parse(words[1]))); break;
            case "snapshot": ReportSnapshot(words); break;
            case "status": ShowStatus(Node(words[0]).Status); break;
            case "log": ShowLog(Node(words[0])); break;
            default: throw new ArgumentException($"no such command: {command}", nameof(command));
        }
    }

    void SetOptions(string[] settings)
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
        cluster.OptionsOf = o => options with { Id = o.Id };
    }

    void AddNodes(int count)
    {
        var config = MembershipConfig.Of(Enumerable.Range(1, count).Select(i => new NodeId((ulong)i)));
        foreach (var id in config.Voters) cluster.Add(id, config);
    }

    void ReportSnapshot(string[] words)
    {
        var (from, to) = Wire(words[0]);
        var member = cluster[from];
        member.SnapshotsNeeded.Clear();
        var index = new LogIndex(ulong.Parse(words[1]));
        if (words[2] == "delivered")
        {
            var snapshot = new SnapshotMetadata(index, member.Applied[(int)index.Value - 1].Term, member.AppliedPoint.Config);
            cluster.Wire.Add(new Message.InstallSnapshot(member.Id, new((ulong)to), member.Node.Status.Term, snapshot));
        }
        member.Node.ReportSnapshot(new((ulong)to), index, words[2] == "delivered");
    }

    void Show(ProposeError error)
    {
        if (error != ProposeError.None) shown.Add($"refused: {error}");
    }

    void ShowRoles()
    {
        foreach (var (id, member) in cluster.Members)
        {
            var status = member.Node.Status;
            var now = (status.Role, status.Term, status.Leader);
            if (!roles.TryGetValue(id, out var before)) before = (RaftRole.Follower, Term.Zero, NodeId.None);
            roles[id] = now;
            if (now == before) continue;
            shown.Add($"{id} is {status.Role} in term {status.Term}{(status.Role == RaftRole.Follower ? status.Leader.IsNone ? ", of nobody" : $", of {status.Leader}" : "")}");
        }
    }

    void ShowStatus(RaftStatus status)
    {
        shown.Add($"{status.Role} term {status.Term} commit {status.Commit} applied {status.Applied} log {status.FirstIndex}..{status.LastIndex} {status.Config}{(status.TransferTarget.IsNone ? "" : $" handing over to {status.TransferTarget}")}");
        foreach (var f in status.Followers) shown.Add($"{f.Id}: {f.State} match {f.Match} next {f.Next}{(f.IsLearner ? " learner" : "")}{(f.Active ? "" : " silent")}");
    }

    void ShowLog(RaftNode node)
    {
        for (var i = node.Status.FirstIndex; i <= node.Status.LastIndex; i = i.Next) shown.Add(Description.Of(node.Log[i]));
    }

    TestMember Member(string id) => cluster.Members[Id(id)];

    RaftNode Node(string id) => Member(id).Node;

    static void Times(string[] words, int at, Action act)
    {
        for (var i = words.Length > at ? int.Parse(words[at]) : 1; i > 0; i--) act();
    }

    static NodeId Id(string text) => new(ulong.Parse(text));

    static (int From, int To) Wire(string text) => (int.Parse(text.Split("->")[0]), int.Parse(text.Split("->")[1]));

    static Func<Message, bool> Along(string text)
    {
        var (from, to) = Wire(text);
        return message => message.From == new NodeId((ulong)from) && message.To == new NodeId((ulong)to);
    }
}
