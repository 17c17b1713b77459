using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Store.Protocol.Etcdserverpb;
using Store.State;

namespace Store.Server;

/// <summary>/health, /livez and /readyz as etcd answers them (contract 1.13): kubelets, load balancers and kube-apiserver read the bodies.</summary>
sealed class HealthChecks
{
    const string PlainText = "text/plain; charset=utf-8";

    readonly ReplicaLoop loop;
    readonly ILogger logger;
    readonly TimeSpan timeout;
    readonly Check[] live, ready;

    public HealthChecks(ReplicaLoop loop, TimeSpan timeout, ILogger logger)
    {
        (this.loop, this.timeout, this.logger) = (loop, timeout, logger);
        Check serializable = new("serializable_read", _ => ValueTask.FromResult(SerializableProblem()));
        live = [serializable];
        ready =
        [
            new("data_corruption", _ => ValueTask.FromResult(loop.IsCorrupt ? "alarm activated: CORRUPT" : null)),
            serializable,
            new("linearizable_read", LinearizableProblemAsync),
            new("non_learner", _ => ValueTask.FromResult(loop.IsLearner ? "failed due to the member being a learner" : null)),
        ];
    }

    sealed record Check(string Name, Func<CancellationToken, ValueTask<string?>> ProblemAsync);

    /// <summary>True when the path was one of these.</summary>
    public async ValueTask<bool> TryServeAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        if (path == "/health") await HealthAsync(http);
        else if (path == "/livez" || path.StartsWith("/livez/", StringComparison.Ordinal)) await ProbeAsync(http, "/livez", "livez", live);
        else if (path == "/readyz" || path.StartsWith("/readyz/", StringComparison.Ordinal)) await ProbeAsync(http, "/readyz", "readyz", ready);
        else return false;
        return true;
    }

    async Task HealthAsync(HttpContext http)
    {
        if (!await AcceptAsync(http)) return;
        var excluded = http.Request.Query["exclude"];
        var serializable = http.Request.Query["serializable"] == "true";
        var problem = AlarmProblem(excluded)
            ?? (!serializable && !loop.HasLeader ? "RAFT NO LEADER" : null)
            ?? await RangeProblemAsync(serializable, http.RequestAborted);
        if (problem is null) StoreMetrics.HealthSuccesses.Add();
        else StoreMetrics.HealthFailures.Add();
        await AnswerAsync(http, problem is null, HealthBody(problem) + (problem is null ? "" : "\n"), problem);
    }

    /// <summary>etcd's two fields, in its order. The reason may be any exception's message, so it is escaped.</summary>
    internal static string HealthBody(string? problem) =>
        $$"""{"health":"{{(problem is null ? "true" : "false")}}","reason":"{{JsonEncodedText.Encode(problem ?? "", JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}}"}""";

    string? AlarmProblem(StringValues excluded)
    {
        var cluster = loop.View.Cluster;
        foreach (var alarm in cluster.Alarms)
        {
            // Another member's state differs: it serves nothing, this one does.
            if (alarm.Alarm == AlarmType.Corrupt && !loop.IsCorrupt) continue;
            var name = alarm.Alarm.ToString().ToUpperInvariant();
            if (!excluded.Contains(name)) return "ALARM " + name;
        }

        return null;
    }

    async ValueTask<string?> RangeProblemAsync(bool serializable, CancellationToken cancellationToken)
    {
        var problem = serializable ? SerializableProblem() : await LinearizableProblemAsync(cancellationToken);
        return problem is null ? null : "RANGE ERROR:" + problem;
    }

    /// <summary>?verbose lists every check, ?exclude=name leaves one out, /readyz/name asks one alone.</summary>
    async Task ProbeAsync(HttpContext http, string prefix, string name, Check[] checks)
    {
        if (!await AcceptAsync(http)) return;
        var excluded = http.Request.Query["exclude"];
        var single = http.Request.Path.Value![prefix.Length..].Trim('/');
        Check[] chosen = [.. checks.Where(c => single.Length == 0 ? !excluded.Contains(c.Name) : c.Name == single)];
        if (single.Length > 0 && chosen.Length == 0)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            http.Response.ContentType = PlainText;
            await http.Response.WriteAsync("404 page not found\n");
            return;
        }

        var lines = new List<string>();
        var healthy = true;
        foreach (var check in chosen)
        {
            var problem = await check.ProblemAsync(http.RequestAborted);
            healthy &= problem is null;
            lines.Add(problem is null ? $"[+]{check.Name} ok" : $"[-]{check.Name} failed: {problem}");
            HealthMetrics.Record(name, check.Name, problem is null);
        }

        var details = string.Concat(lines.Select(l => l + "\n"));
        var verbose = http.Request.Query.ContainsKey("verbose");
        await AnswerAsync(http, healthy, (healthy, verbose) switch
        {
            (true, false) => "ok\n",
            (true, true) => details + "ok\n",
            _ => details + $"{name} check failed\n",
        }, healthy ? null : details);
    }

    static async ValueTask<bool> AcceptAsync(HttpContext http)
    {
        if (HttpMethods.IsGet(http.Request.Method)) return true;
        http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        http.Response.Headers.Allow = "GET";
        http.Response.ContentType = PlainText;
        await http.Response.WriteAsync("Method Not Allowed\n");
        return false;
    }

    /// <summary>As text, JSON as well: etcd leaves the type to Go, which finds text.</summary>
    async Task AnswerAsync(HttpContext http, bool healthy, string body, string? reason)
    {
        if (!healthy) Log.HealthCheckFailed(logger, http.Request.Path, reason!);
        http.Response.StatusCode = healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        http.Response.ContentType = PlainText;
        await http.Response.WriteAsync(body);
    }

    string? SerializableProblem()
    {
        try
        {
            var result = loop.View.Range(new RangeRequest { Key = ByteString.CopyFromUtf8("health"), Limit = 1, Serializable = true });
            return result.Error == StoreError.None ? null : StatusMapping.ToStatus(result.Error).Detail;
        }
        catch (Exception exception)
        {
            return exception.Message;
        }
    }

    async ValueTask<string?> LinearizableProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            var error = await loop.ReadIndexAsync(cancellationToken).AsTask().WaitAsync(timeout, cancellationToken);
            return error == StoreError.None ? SerializableProblem() : StatusMapping.ToStatus(error).Detail;
        }
        catch (TimeoutException)
        {
            return StatusMapping.ToStatus(StoreError.Timeout).Detail;
        }
    }
}
