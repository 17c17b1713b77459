using System.Text.RegularExpressions;
using LocalCluster;

namespace EndToEnd.Tests;

/// <param name="Input">What is typed into it; null for nothing.</param>
sealed record EtcdctlCommand(IReadOnlyList<string> Arguments, string? Input)
{
    public override string ToString() => string.Join(' ', Arguments.Select(a => a.Length == 0 || a.Contains(' ', StringComparison.Ordinal) ? $"\"{a}\"" : a));
}

/// <summary>The commands of a session's file, and what each answers on one cluster once everything that must differ is taken out.</summary>
/// <param name="member">Who is asked.</param>
sealed partial class Conversation(string etcdctl, LoopbackCluster cluster, MemberProcess member)
{
    string lease = "";

    public static IReadOnlyList<EtcdctlCommand> Read(string file)
    {
        var commands = new List<EtcdctlCommand>();
        foreach (var line in File.ReadLines(file).Where(l => l.Length > 0 && !l.StartsWith('#')))
        {
            if (line[0] == '|')
                commands[^1] = commands[^1] with { Input = $"{commands[^1].Input}{line[1..]}\n" };
            else
                commands.Add(new EtcdctlCommand([.. Word().Matches(line).Select(m => m.Value.Trim('"'))], null));
        }
        return commands;
    }

    /// <returns>Exit code, standard output and the error's last line, comparable.</returns>
    public async Task<string> SayAsync(EtcdctlCommand command)
    {
        var arguments = command.Arguments.Select(a => a.Replace("$lease", lease, StringComparison.Ordinal)).ToArray();
        var result = await Etcdctl.RunAsync(etcdctl, cluster.Certificates is null ? member.Endpoint : member.ClientUrl, arguments, command.Input, cluster.Certificates);
        if (GrantedLease().Match(result.Output) is { Success: true } granted)
            lease = granted.Groups[1].Value;
        var answer = $"exit {result.ExitCode}\n{Comparable(result.Output)}{Comparable(result.Error)}";
        // Status and hashes are numbers of the server's own; what is compared is that they are there.
        return arguments.Contains("endpoint") ? Number().Replace(answer, "<number>") : answer;
    }

    /// <summary>Addresses by member, ids, terms, sizes, versions, durations and seconds left blanked.</summary>
    public string Comparable(string text)
    {
        // One word for all of them: which member leads, and so is asked, is chance.
        foreach (var each in cluster.Members)
        {
            text = text.Replace(each.Endpoint, "<client>", StringComparison.Ordinal)
                .Replace($"127.0.0.1:{each.PeerPort}", "<peer>", StringComparison.Ordinal);
        }
        if (lease.Length > 0)
            text = text.Replace(lease, "<lease>", StringComparison.Ordinal);
        text = JsonId().Replace(text, "$1<id>");
        text = FieldId().Replace(text, "$1 <id>");
        text = LeaseId().Replace(text, "$1 <id>");
        text = HexId().Replace(text, "<id>");
        text = Duration().Replace(text, "<duration>");
        text = LogPrefix().Replace(text, "$1<log line> ");
        text = Remaining().Replace(text, "remaining(<seconds>)");
        // A lease's keys come in the order of a hash.
        text = AttachedKeys().Replace(text, keys => $"attached keys([{string.Join(' ', keys.Groups[1].Value.Split(' ').Order(StringComparer.Ordinal))}])");
        text = Size().Replace(text, "<size>");
        text = Version().Replace(text, "<version>");
        text = TableRule().Replace(text, "+");
        var lines = text.Split('\n').Select(line => Spaces().Replace(line, " ").TrimEnd());
        // Members are listed by id, which is chance.
        return string.Join('\n', text.Contains("started", StringComparison.Ordinal) ? lines.Order(StringComparer.Ordinal) : lines);
    }

    [GeneratedRegex("""[^\s"]*"[^"]*"|\S+""")]
    private static partial Regex Word();

    [GeneratedRegex("lease ([0-9a-f]{8,16}) granted")]
    private static partial Regex GrantedLease();

    [GeneratedRegex("""("(?:cluster_id|member_id|raft_term|ID|leader|raftIndex|raftAppliedIndex|raftTerm|dbSize|dbSizeInUse|hash|took)":\s*)"?[^",}\]]+"?""")]
    private static partial Regex JsonId();

    [GeneratedRegex("""("(?:ClusterID|MemberID|RaftTerm|ID|Leader)" :) \d+""")]
    private static partial Regex FieldId();

    [GeneratedRegex("""("Lease" :) [1-9]\d*""")]
    private static partial Regex LeaseId();

    [GeneratedRegex(@"\b[0-9a-f]{12,16}\b")]
    private static partial Regex HexId();

    [GeneratedRegex(@"\b[0-9.]+(?:ms|µs|ns|s)\b")]
    private static partial Regex Duration();

    [GeneratedRegex(@"(^|\n)(?:\{""level""[^\n]*\}|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)")]
    private static partial Regex LogPrefix();

    [GeneratedRegex(@"remaining\(\d+s?\)|remaining\(<duration>\)")]
    private static partial Regex Remaining();

    [GeneratedRegex(@"\b\d+(?:\.\d+)? [kM]?B\b")]
    private static partial Regex Size();

    [GeneratedRegex(@"\b3\.\d+\.\d+\b")]
    private static partial Regex Version();

    [GeneratedRegex(@"attached keys\(\[([^\]]*)\]\)")]
    private static partial Regex AttachedKeys();

    [GeneratedRegex(@"\+[-+]+\+|[┌└├][─┬┴┼]+[┐┘┤]")]
    private static partial Regex TableRule();

    [GeneratedRegex(@"\b\d+\b")]
    private static partial Regex Number();

    [GeneratedRegex(" {2,}")]
    private static partial Regex Spaces();
}
