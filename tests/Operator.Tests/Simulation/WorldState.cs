using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Operator.Core;

namespace Operator.Tests;

/// <summary>What a simulated world holds, as text to compare.</summary>
static class WorldState
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Different each time: ids, times, addresses, who leads.</summary>
    static readonly HashSet<string> Volatile = new(StringComparer.Ordinal)
    {
        "uid", "resourceVersion", "creationTimestamp", "generation", "observedGeneration", "lastTransitionTime", "formedAt", "observedAt", "startedAt", "podIP", "clusterId",
        "memberId", "leader", "restartCount", "restarts", "term", "serial", "notAfter", "renewAt", "rootSecretVersion", "recoverableFrom", "recoverableUntil", "recoverableRevision", "lastFull", "completedAt", "plannedAt", "currentRevision", "safetyBackup", "aboveRevision", "formerClusterId", Annotations.Applied, Annotations.Changed, Annotations.Certificates,
    };

    /// <summary>What a cluster's history rightly leaves: numbers that were given away, where pods came to lie, how they ended before, how large volumes have become.</summary>
    static readonly HashSet<string> History = new(StringComparer.Ordinal)
    {
        "memberHighWater", "node", "nodeName", "zone", "lastState", "lagEntries", "dbBytes", "dbInUseBytes", "storage", "storageClassName", "rotated", "blocked", "message", "phase",
        Annotations.InitialCluster,
    };

    public static string Of(Simulation simulation)
    {
        var state = new JsonObject();
        foreach (var (name, item) in Objects(simulation, Volatile)) state[name] = item;
        foreach (var member in simulation.Store.Groups.SelectMany(group => group.Members)) state[$"member/{member.Name}"] = member.Learner ? "learner" : "voter";
        foreach (var group in simulation.Store.Groups) Tell(simulation, group, state);
        return state.ToJsonString(Indented);
    }

    /// <summary>The same for any two worlds whose users want the same now, whatever they wanted before: members are counted anew, and what history leaves is out.</summary>
    public static string WithoutHistory(Simulation simulation)
    {
        var sets = simulation.Table.List("statefulsets").Select(set => ObjectTable.KeyOf(set).Name).ToList();
        var lines = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var (name, item) in Objects(simulation, [.. Volatile, .. History]))
        {
            // The volume of a member that is gone.
            if (name.StartsWith("persistentvolumeclaims/data-", StringComparison.Ordinal) && !sets.Contains(name["persistentvolumeclaims/data-".Length..^2])) continue;
            if (name == $"secrets/{CertificateKeepers.Name}" || IsLeftByCertManager(simulation, name, item)) continue;
            if (name.StartsWith("pods/", StringComparison.Ordinal)) ForgetTicket(item);
            if (name.StartsWith("storeclusters/", StringComparison.Ordinal)) ForgetPlacesAndVolumes(item);
            if (name.StartsWith("storeclusters/", StringComparison.Ordinal)) SortCertificates(item);
            lines[name] = Sorted(item);
        }

        foreach (var member in simulation.Conduct.Used.SelectMany(group => group.Members)) lines[$"member/{member.Name}"] = member.Learner ? "learner" : "voter";
        // Users stay when nobody is asked any more who they are.
        foreach (var group in simulation.Conduct.Used.Where(group => group.Users.Enabled)) Tell(simulation, group, lines);
        var ranks = sets.OrderBy(Number).Select((name, index) => (Number: Number(name), Rank: index + 1)).ToDictionary(pair => pair.Number, pair => pair.Rank);
        string Renamed(string text) => Regex.Replace(text, $@"\b{Scenario.Cluster}-(\d+)\b", match =>
            ranks.TryGetValue(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), out var rank) ? $"{Scenario.Cluster}-{rank}" : match.Value, RegexOptions.None, TimeSpan.FromSeconds(5));
        var named = lines.OrderBy(line => Renamed(line.Key), StringComparer.Ordinal);
        return Renamed(new JsonObject(named.Select(line => KeyValuePair.Create(line.Key, line.Value))).ToJsonString(Indented));
    }

    /// <summary>The Secret of a Certificate that went with its StoreCluster.</summary>
    static bool IsLeftByCertManager(Simulation simulation, string name, JsonObject item) => name.StartsWith("secrets/", StringComparison.Ordinal)
        && (string?)(item["metadata"]!["annotations"] as JsonObject)?[ManagedCertificates.NameAnnotation] is { } certificate && simulation.Table.Get("certificates", Simulation.Key(certificate)) is null;

    /// <summary>By number: orders-10 stands after orders-9, as the third of anybody stands after the second.</summary>
    static void SortCertificates(JsonObject cluster)
    {
        if (cluster["status"]?["tls"]?["certificates"] is not JsonArray certificates) return;
        var sorted = certificates.OrderBy(certificate => Regex.Replace((string)certificate!["name"]!, "[0-9]+", number => number.Value.PadLeft(6, '0'), RegexOptions.None, TimeSpan.FromSeconds(5)), StringComparer.Ordinal).ToList();
        cluster["status"]!["tls"]!["certificates"] = new JsonArray([.. sorted.Select(certificate => certificate!.DeepClone())]);
    }

    static int Number(string member) => int.Parse(member[(member.LastIndexOf('-') + 1)..], CultureInfo.InvariantCulture);

    static IEnumerable<(string Name, JsonObject Item)> Objects(Simulation simulation, HashSet<string> left)
    {
        var ids = simulation.Store.Groups.SelectMany(group => new[] { (Text: group.Token, Name: "TOKEN"), (Text: $"--backup-cluster={group.Id:x16}", Name: "--backup-cluster=ID") }).ToList();
        foreach (var (plural, item) in simulation.Table.All)
        {
            var copy = (JsonObject)item.DeepClone();
            Strip(copy, left);
            // It names the backup that was taken first, by id and revision.
            if (plural == "storerestores") Strip(copy, ["message"]);
            if (plural == "secrets" && (copy["metadata"]!["labels"] is not null || copy["data"]![CertificateSecret.CertificateEntry] is not null)) Summarize(copy);
            var text = ids.Aggregate(copy.ToJsonString(), (text, id) => text.Replace(id.Text, id.Name, StringComparison.Ordinal));
            text = Regex.Replace(text, "--above-revision=[0-9]+", "--above-revision=N", RegexOptions.None, TimeSpan.FromSeconds(5));
            yield return ($"{plural}/{ObjectTable.KeyOf(item).Name}", (JsonObject)JsonNode.Parse(text)!);
        }
    }

    /// <summary>The operator throws its password, keys and certificates; how many certificates there are is told.</summary>
    static void Summarize(JsonObject secret)
    {
        var data = secret["data"]!.AsObject();
        foreach (var name in data.Select(entry => entry.Key).ToList())
            data[name] = Encoding.UTF8.GetString(Convert.FromBase64String((string)data[name]!)).Split("-----BEGIN ").Length - 1;
    }

    static void Tell(Simulation simulation, StoreGroup group, IDictionary<string, JsonNode?> state)
    {
        var login = simulation.Table.Get("secrets", Simulation.Key(Names.OperatorLogin(Scenario.Cluster)))?["data"]?["password"] is { } encoded
            ? Encoding.UTF8.GetString(Convert.FromBase64String((string)encoded!))
            : null;
        state["authentication"] = group.Users.Enabled ? "on" : "off";
        foreach (var (name, user) in group.Users.Users) state[$"user/{name}"] = $"{(user.Password == login ? "of the Secret" : user.Password)} {(user.Root ? "root" : "")}";
    }

    static void Strip(JsonNode? node, HashSet<string> left)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list) Strip(item, left);
        }
        else if (node is JsonObject item)
        {
            foreach (var name in item.Select(pair => pair.Key).ToList())
            {
                if (left.Contains(name)) item.Remove(name);
                else Strip(item[name], left);
            }
        }
    }

    /// <summary>A pod keeps the arguments that it was started with; its ticket has been changed since, and means nothing once its disk holds data.</summary>
    static void ForgetTicket(JsonObject pod)
    {
        var arguments = pod["spec"]!["containers"]![0]!["args"]!.AsArray();
        foreach (var argument in arguments.Where(argument => ((string)argument!).StartsWith("--initial-cluster", StringComparison.Ordinal)).ToList()) arguments.Remove(argument);
    }

    /// <summary>Who shares a node follows from where pods came to lie, and what a rested cluster declines (a smaller volume) from the volumes that it has.</summary>
    static void ForgetPlacesAndVolumes(JsonObject cluster)
    {
        if (cluster["status"]?["conditions"] is not JsonArray conditions) return;
        foreach (var condition in conditions.OfType<JsonObject>().ToList())
        {
            if ((string?)condition["type"] == ConditionTypes.TopologySatisfied) conditions.Remove(condition);
            if ((string?)condition["type"] == ConditionTypes.Progressing) condition.Remove("reason");
        }
    }

    static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject item => new JsonObject(item.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, Sorted(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}
