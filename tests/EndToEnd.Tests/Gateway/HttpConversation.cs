using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LocalCluster;

namespace EndToEnd.Tests;

/// <param name="Signature">"!": with the token that was given last; "?": with an empty one; else with none.</param>
/// <param name="Lines">Of a stream, to be read before hanging up; null for a whole answer.</param>
sealed record HttpExchange(string Method, string Signature, int? Lines, string Path, string Body)
{
    public override string ToString() => $"{Method} {Path} {Body}";
}

/// <summary>The requests of requests.txt, and what each answers on one member once everything that must differ is taken out.</summary>
sealed partial class HttpConversation(MemberProcess member) : IDisposable
{
    /// <summary>Of the server's own making: that they are there is what is compared.</summary>
    static readonly string[] OwnNumbers =
        ["cluster_id", "member_id", "raft_term", "raftIndex", "raftTerm", "raftAppliedIndex", "dbSize", "dbSizeInUse", "leader", "hash", "etcdserver", "etcdcluster"];

    /// <summary>What etcd 3.5 does not know yet, or the store adds.</summary>
    static readonly string[] NewFields = ["dbSizeQuota", "storageVersion", "downgradeInfo", "storage", "storecluster"];

    readonly HttpClient http = new() { BaseAddress = new(member.ClientUrl), Timeout = TimeSpan.FromSeconds(10) };

    string token = "";

    public static IReadOnlyList<HttpExchange> Read(string file) =>
    [
        .. from line in File.ReadLines(file)
           where line.Length > 0 && !line.StartsWith('#')
           let parts = Exchange().Match(line)
           select new HttpExchange(
               parts.Groups["method"].Value, parts.Groups["signature"].Value, parts.Groups["lines"].Success ? int.Parse(parts.Groups["lines"].Value) : null, parts.Groups["path"].Value, parts.Groups["body"].Value),
    ];

    /// <returns>Status, headers and body, comparable.</returns>
    public async Task<string> SayAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(new(exchange.Method), exchange.Path);
        if (exchange.Method is "POST" or "PUT") request.Content = new StringContent(exchange.Body, Encoding.UTF8, "application/json");
        if (exchange.Signature != "") request.Headers.TryAddWithoutValidation("Authorization", exchange.Signature == "!" ? token : "");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var text = new StringBuilder().Append((int)response.StatusCode).Append(' ').Append(response.Content.Headers.ContentType).Append('\n');
        foreach (var (name, values) in response.Headers.Where(h => h.Key.StartsWith("Access-", StringComparison.Ordinal) || h.Key.StartsWith("Grpc-", StringComparison.Ordinal)).OrderBy(h => h.Key, StringComparer.Ordinal))
            text.Append(name).Append(": ").AppendJoin(',', values).Append('\n');
        using var body = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        if (exchange.Lines is { } lines)
            for (var i = 0; i < lines; i++) text.Append(Comparable(await body.ReadLineAsync(cancellationToken) ?? "(no line)")).Append('\n');
        else text.Append(Comparable(await body.ReadToEndAsync(cancellationToken)));
        if (Token().Match(text.ToString()) is { Success: true } given)
        {
            token = given.Groups[1].Value;
            text.Replace(token, "<token>");
        }

        return text.ToString().TrimEnd('\n');
    }

    public void Dispose() => http.Dispose();

    string Comparable(string body)
    {
        if (!body.StartsWith('{')) return body;
        var json = JsonNode.Parse(body)!;
        Blank(json);
        return json.ToJsonString().Replace(member.Endpoint, "<client>", StringComparison.Ordinal).Replace($"127.0.0.1:{member.PeerPort}", "<peer>", StringComparison.Ordinal);
    }

    static void Blank(JsonNode json)
    {
        if (json is JsonArray list)
        {
            foreach (var each in list) Blank(each!);
            return;
        }

        if (json is not JsonObject fields) return;
        // Two parsers do not find the same words for what they could not read.
        if (fields["code"]?.ToString() == "3" && !fields["message"]!.ToString().StartsWith("etcdserver:", StringComparison.Ordinal)) fields["message"] = "<what is wrong>";
        foreach (var name in NewFields) fields.Remove(name);
        foreach (var (name, value) in fields.ToArray())
        {
            if (value is JsonValue && (OwnNumbers.Contains(name) || (name == "version" && value.ToString().Contains('.', StringComparison.Ordinal)))) fields[name] = "<own>";
            else if (name is "ID" or "memberID" && value!.ToString() is { Length: > 15 } id && id != "7587862094807437582") fields[name] = "<id>";
            else if (name == "TTL" && value!.ToString() is "999" or "998" or "997") fields[name] = "1000";
            else Blank(value!);
        }
    }

    [GeneratedRegex("\"token\":\"([^\"]+)\"")]
    private static partial Regex Token();

    [GeneratedRegex(@"^(?<method>[A-Z]+)(?<signature>[!?])?(:(?<lines>\d+))? (?<path>\S+)( (?<body>.*))?$")]
    private static partial Regex Exchange();
}
