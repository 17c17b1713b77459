using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>What the members of a running cluster say when one that was added to it starts for the first time (GET /members on a peer port, as in etcd).</summary>
static class JoinedCluster
{
    const string ClusterIdHeader = "X-Etcd-Cluster-ID";
    static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Asks everybody named in --initial-cluster until one answers. Throws with one clear line when this member is not in the list.</summary>
    public static async Task<(ulong ClusterId, NodeId Self, IReadOnlyList<ClusterMember> Members)> AskAsync(
        ServerOptions options, TlsDialing tls, TimeProvider time, CancellationToken cancellationToken)
    {
        var own = options.InitialAdvertisePeerUrls.ToHashSet(StringComparer.Ordinal);
        var others = options.InitialCluster.SelectMany(member => member.PeerUrls).Where(url => !own.Contains(url)).Distinct(StringComparer.Ordinal).ToList();
        // Who starts like this is meant to find itself on its disk (the operator keeps members so, and looks for these words).
        if (others.Count == 0)
        {
            throw new BootException(
                $"{options.Name} is to be an existing member, but its disk is empty ({options.DataDirectory}): bring its data back, or, if it is lost, remove the member (etcdctl member remove), "
                + "add it anew and name the other members in --initial-cluster");
        }
        var started = time.GetTimestamp();
        string failure;
        do
        {
            failure = "";
            foreach (var url in others)
            {
                try
                {
                    return FindSelf(await AskAsync(tls, url, cancellationToken), own);
                }
                catch (Exception e) when (e is HttpRequestException or JsonException or FormatException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
                {
                    failure = $"{url}: {e.Message}";
                }
            }
            await Task.Delay(Pause, time, cancellationToken);
        }
        while (time.GetElapsedTime(started) < Patience);
        throw new BootException($"cannot fetch cluster info from peer urls {string.Join(',', others)}: {failure}; check that the other members run, or use --initial-cluster-state=new");
    }

    static async Task<(ulong ClusterId, IReadOnlyList<ClusterMember> Members)> AskAsync(TlsDialing tls, string url, CancellationToken cancellationToken)
    {
        var members = new Uri(new(url), "/members");
        using var http = new HttpClient(tls.HttpHandler(members)) { Timeout = AskTimeout };
        using var response = await http.GetAsync(members, cancellationToken);
        response.EnsureSuccessStatusCode();
        if (!response.Headers.TryGetValues(ClusterIdHeader, out var ids)) throw new FormatException("the answer names no cluster");
        var clusterId = ulong.Parse(ids.First(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        return (clusterId, [.. json.RootElement.EnumerateArray().Select(Read)]);
    }

    static ClusterMember Read(JsonElement member) => new(
        new(member.GetProperty("id").GetUInt64()),
        member.TryGetProperty("name", out var name) ? name.GetString() ?? "" : "",
        Strings(member, "peerURLs"),
        Strings(member, "clientURLs"),
        member.TryGetProperty("isLearner", out var learner) && learner.GetBoolean(),
        "");

    static ImmutableArray<string> Strings(JsonElement member, string name) =>
        member.TryGetProperty(name, out var values) && values.ValueKind == JsonValueKind.Array ? [.. values.EnumerateArray().Select(value => value.GetString()!)] : [];

    static (ulong ClusterId, NodeId Self, IReadOnlyList<ClusterMember> Members) FindSelf((ulong ClusterId, IReadOnlyList<ClusterMember> Members) cluster, HashSet<string> own)
    {
        var self = cluster.Members.FirstOrDefault(member => own.SetEquals(member.PeerUrls))
            ?? throw new BootException(
                $"no member of cluster {cluster.ClusterId:x} has the peer URLs {string.Join(',', own)}: add it first (etcdctl member add), with the URLs of --initial-advertise-peer-urls");
        return (cluster.ClusterId, self.Id, cluster.Members);
    }

    /// <summary>The answer to such a question.</summary>
    public static (string Header, string Value, byte[] Body) Answer(ulong clusterId, ClusterView cluster)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartArray();
            foreach (var member in cluster.Members.Values) Write(json, member);
            json.WriteEndArray();
        }
        return (ClusterIdHeader, clusterId.ToString("x"), body.ToArray());
    }

    static void Write(Utf8JsonWriter json, ClusterMember member)
    {
        json.WriteStartObject();
        json.WriteNumber("id", member.Id.Value);
        WriteStrings(json, "peerURLs", member.PeerUrls);
        if (member.IsLearner) json.WriteBoolean("isLearner", true);
        json.WriteString("name", member.Name);
        WriteStrings(json, "clientURLs", member.ClientUrls);
        json.WriteEndObject();
    }

    static void WriteStrings(Utf8JsonWriter json, string name, ImmutableArray<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
