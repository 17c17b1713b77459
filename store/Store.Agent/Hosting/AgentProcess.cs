using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Store.Agent;

/// <summary>
/// The agent from its options to its end. Beside the loops it serves `/metrics`, `/status` (JSON, everything it knows of the backups) and `/health`, which is that of
/// the process, which ends itself on a fault: a target that is down, or a key that is not there yet, is told by metrics and status, since restarting the agent would not
/// bring it back.
/// </summary>
public static class AgentProcess
{
    static readonly TimeSpan FilesInterval = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(AgentOptions options, string version, ILoggerFactory logging, CancellationToken stopping)
    {
        var logger = logging.CreateLogger("Store.Agent");
        LowPriority.Take();
        PrepareScratch(options.ScratchFolder);
        var state = new AgentState();
        AgentMetrics.Observe(state, TimeProvider.System);
        using var metrics = StartMetrics();
        await using var server = await ServeAsync(options, state, metrics);
        await using var control = options.ControlUrl is { } url ? await ControlEndpoint.ServeAsync(url, options.Member, state) : null;
        AgentLog.Serving(logger, options.ListenUrl.ToString(), options.ControlUrl?.ToString() ?? "");
        if (await OpenAsync(options, version, state, logger, stopping) is not { } opened) return;
        using var parts = opened;
        AgentLog.Starting(
            logger, version, options.Member.Endpoint.ToString(), parts.Location, options.EncryptionKeyFile is not null, options.Schedule.DeltaInterval.TotalSeconds,
            options.Schedule.FullInterval.TotalSeconds);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Task.WhenAll(
            UntilOneEnds(new BackupLoop(options, parts, state, TimeProvider.System, logger).RunAsync, ending),
            UntilOneEnds(new DrillLoop(options, parts, state, TimeProvider.System, logger).RunAsync, ending));
        AgentLog.Stopped(logger);
    }

    /// <summary>Files with a key or certificates may come later than the agent, or be set right while it runs: it waits for them, since it shares its fate with a member.</summary>
    /// <returns>Null when it was told to stop.</returns>
    static async Task<AgentParts?> OpenAsync(AgentOptions options, string version, AgentState state, ILogger logger, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var parts = new AgentParts(options, version, TimeProvider.System);
                state.At(parts.Location);
                return parts;
            }
            catch (BackupException e)
            {
                state.Failed(e, TimeProvider.System.GetUtcNow());
                AgentLog.AttemptFailed(logger, e.Failure.ToString(), e.Message, FilesInterval.TotalSeconds);
                await Task.Delay(FilesInterval, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        return null;
    }

    /// <summary>A loop only ends when it was told to, or by a fault, which then ends the process: a restart begins from what is at the target.</summary>
    static async Task UntilOneEnds(Func<CancellationToken, Task> loop, CancellationTokenSource ending)
    {
        try
        {
            await loop(ending.Token);
        }
        finally
        {
            await ending.CancelAsync();
        }
    }

    /// <summary>Everything in it is of backups that were not finished.</summary>
    static void PrepareScratch(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var file in Directory.EnumerateFiles(folder).Where(file => Path.GetExtension(file) is ".copy" or ".verify")) File.Delete(file);
            foreach (var left in Directory.EnumerateDirectories(folder).Where(left => Path.GetFileName(left).Split('-')[0] is "restore" or "drill")) Directory.Delete(left, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(BackupFailure.Misconfigured, $"--scratch-dir cannot be used: {e.Message}", e);
        }
    }

    static MeterProvider StartMetrics() => Sdk.CreateMeterProviderBuilder()
        .AddMeter(AgentMetrics.MeterName)
        .AddPrometheusExporter(prometheus =>
        {
            prometheus.DisableTotalNameSuffixForCounters = true;
            prometheus.ScopeInfoEnabled = false;
            prometheus.TargetInfoEnabled = false;
            prometheus.ScrapeResponseCacheDurationMilliseconds = 0;
        })
        .Build();

    static async Task<WebApplication> ServeAsync(AgentOptions options, AgentState state, MeterProvider metrics)
    {
        var listen = options.ListenUrl;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls(listen.ToString());
        var application = builder.Build();
        application.UseOpenTelemetryPrometheusScrapingEndpoint(metrics, null, "/metrics", null, null);
        application.Run(http => AnswerAsync(http, state, options.Member));
        return await Endpoint.ListenAsync(application, "listen-metrics-urls", listen);
    }

    static Task AnswerAsync(HttpContext http, AgentState state, MemberOptions member)
    {
        switch (http.Request.Path.Value)
        {
            case "/status":
                http.Response.ContentType = "application/json";
                return http.Response.WriteAsync(JsonSerializer.Serialize(state.Status, StatusJson.Default.AgentStatus));
            case FullRequests.Path when HttpMethods.IsPost(http.Request.Method):
                return member.CertFile is null ? FullRequests.TakeAsync(http, state, member.PasswordFile) : FullRequests.RefuseAsync(http);
            case "/health":
                http.Response.ContentType = "application/json";
                return http.Response.WriteAsync("{\"health\":\"true\"}");
            default:
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return http.Response.WriteAsync("404 page not found\n");
        }
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AgentStatus))]
sealed partial class StatusJson : JsonSerializerContext;
