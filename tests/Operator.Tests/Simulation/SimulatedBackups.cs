using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Operator.Tests;

/// <summary>Buckets, and what agents find in them. An agent takes a full backup when it looks at a bucket without one of its cluster, and is never behind.</summary>
sealed class SimulatedBackups(TimeProvider time)
{
    sealed record Full(string Id, long Revision, DateTimeOffset Time);

    readonly Dictionary<(string Location, StoreGroup Group), Full> taken = [];

    /// <summary>Those that are there, and let agents in.</summary>
    public HashSet<string> Buckets { get; } = new(StringComparer.Ordinal);

    /// <summary>What `store snapshot restore --from` says; nothing when it succeeds.</summary>
    public string Restore(string location) => !Buckets.Contains(new Uri(location).Host) ? $"store: {location}: there is no such bucket"
        : taken.Keys.Any(taken => taken.Location == location) ? "" : $"store: {location}: there are no backups";

    /// <summary>What the agent beside a store process answers over HTTP.</summary>
    public HttpResponseMessage Answer(StoreProcess process, HttpRequestMessage request, WriteLog writes, bool inClear)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (process.Agent is not { } flags) throw new HttpRequestException($"connection refused: no agent at {process.Ip}");
        if (!inClear && !flags.ContainsKey("listen-control-urls")) throw new HttpRequestException($"connection refused: the agent at {process.Ip} does not listen for requests by TLS");
        if (path == "/full" && inClear && flags.ContainsKey("cert")) return new HttpResponseMessage(HttpStatusCode.Forbidden) { Content = new StringContent("over TLS only") };
        if (path == "/full") return writes.Write("POST /full", () => Ask(process, flags["location"], request.RequestUri.Query["?after=".Length..]));
        return path == "/status"
            ? new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(Status(process, flags["location"]).ToJsonString(), Encoding.UTF8, "application/json") }
            : new HttpResponseMessage(HttpStatusCode.NotFound);
    }

    /// <summary>How many full backups were taken, of whatever cluster.</summary>
    public int Taken { get; private set; }

    /// <summary>Takes one at once, unless there is a newer one than that already.</summary>
    HttpResponseMessage Ask(StoreProcess process, string location, string after)
    {
        if (taken.TryGetValue((location, process.Group), out var full) && full.Id == after) taken[(location, process.Group)] = Take(process);
        return new HttpResponseMessage(HttpStatusCode.Accepted) { Content = new StringContent("") };
    }

    Full Take(StoreProcess process) => new($"full-{Taken++}", process.Group.Revision, time.GetUtcNow());

    JsonObject Status(StoreProcess process, string location)
    {
        var status = new JsonObject { ["location"] = location, ["turn"] = process.Group.Leader?.Id != process.MemberId };
        if (!location.StartsWith("s3://", StringComparison.Ordinal) || !Buckets.Contains(new Uri(location).Host))
        {
            status["lastFailure"] = new JsonObject { ["at"] = Text(time.GetUtcNow()), ["failure"] = "Denied", ["message"] = $"{location}: there is no such bucket" };
            return status;
        }

        if (!taken.TryGetValue((location, process.Group), out var full)) taken[(location, process.Group)] = full = Take(process);
        status["location"] = $"{location}/";
        status["recoverableFrom"] = Text(full.Time);
        status["recoverableTo"] = Text(time.GetUtcNow());
        status["recoverableRevision"] = process.Group.Revision;
        status["fulls"] = 1;
        status["lastFull"] = new JsonObject { ["id"] = full.Id, ["revision"] = full.Revision, ["time"] = Text(full.Time), ["bytes"] = 1000, ["storedBytes"] = 300 };
        return status;
    }

    static string Text(DateTimeOffset time) => time.ToString("O");
}
