using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Store.State;
using Store.Storage;

namespace Store.Server;

/// <summary>
/// One member from flags to exit code: ports, then the member itself (data directory, log, engine, state, loop, peers), then clients, when the cluster
/// has heard of this member and the request path is warm. SIGTERM and SIGINT undo it in the opposite order after leadership was handed over.
/// </summary>
public static class StoreProcess
{
    static readonly TimeSpan ReadyPollInterval = TimeSpan.FromMilliseconds(20);

    public static async Task<int> RunAsync(ServerOptions options)
    {
        try
        {
            using var lines = new LogLines(LogOutput.Open(options.Log, TimeProvider.System), options.Log, TimeProvider.System);
            return await RunAsync(options, lines);
        }
        catch (Exception exception) when (exception is FlagException or BootException or StorageException or StateFormatException)
        {
            await Console.Error.WriteLineAsync("store: " + exception.Message);
            return 1;
        }
    }

    static async Task<int> RunAsync(ServerOptions options, LogLines lines)
    {
        using var logging = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(lines));
        var logger = logging.CreateLogger("Store");
        using var signals = new StopSignals(logger);
        try
        {
            return await RunAsync(options, lines, logging, logger, signals.Stopping);
        }
        catch (OperationCanceledException) when (signals.Stopping.IsCancellationRequested)
        {
            return 0; // Stopped before it had started.
        }
    }

    static async Task<int> RunAsync(ServerOptions options, LogLines lines, ILoggerFactory logging, ILogger logger, CancellationToken stopping)
    {
        LogStart(options, logger);
        foreach (var notice in options.Notices) Log.ConfigurationNotice(logger, notice);
        var tls = ClientTls(options, logger);
        using var metrics = MetricsExport.Start();
        using var traces = OtlpTraces.Start(options.Traces);
        await using var ports = await ClientPorts.BindAsync(options, logging, TimeProvider.System, stopping);
        await using var node = await StoreNode.StartAsync(options, TimeProvider.System, logger, stopping);
        await using (var server = await ClientServer.StartAsync(options, ports, tls, new(node.Identity, node.Loop, () => node.EngineSize, metrics), lines, stopping))
        {
            using var compacting = new CancellationTokenSource();
            var compactor = new AutoCompactor(options, node.Loop, TimeProvider.System, logger).RunAsync(compacting.Token);
            var end = await ServeAsync(options, ports, node, server, logger, stopping);
            await compacting.CancelAsync();
            await compactor;
            if (end is not null)
            {
                await Console.Error.WriteLineAsync("store: " + end.Message);
                return end.ExitCode;
            }

            await HandLeadershipOverAsync(options, node.Loop, logger);
        }

        Log.Stopped(logger);
        return 0;
    }

    /// <summary>Null when told to stop, else why the member cannot go on.</summary>
    static async Task<NodeEnd?> ServeAsync(ServerOptions options, ClientPorts ports, StoreNode node, ClientServer server, ILogger logger, CancellationToken stopping)
    {
        try
        {
            await Task.WhenAny(ReadyAsync(options, node, stopping), node.Ended);
            if (!node.Ended.IsCompleted && options.Integrity.AtStart) await Task.WhenAny(node.Loop.CompareContentAtLeaderAsync(stopping), node.Ended);
            if (!node.Ended.IsCompleted && options.WarmUp > TimeSpan.Zero) await WarmUpAsync(options, ports, logger, stopping);
            if (!node.Ended.IsCompleted && !stopping.IsCancellationRequested)
            {
                await server.AdmitAsync();
                foreach (var port in ports.Clients) LogServing(port, logger);
                foreach (var port in ports.Metrics) Log.ServingMetrics(logger, port.EndPoint.ToString()!);
                Log.Ready(logger);
            }

            return await node.Ended.WaitAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Null without certificates. Read before anything else is done: bad files must not cost a boot.</summary>
    static TlsListening? ClientTls(ServerOptions options, ILogger logger)
    {
        if (!options.ClientTls.IsConfigured) return null;
        var urls = options.ListenClientUrls.Concat(options.ListenClientHttpUrls).Concat(options.ListenMetricsUrls).Where(url => !UnixSockets.IsUnix(url.OriginalString));
        foreach (var url in options.ListenClientUrls.Where(url => url.Scheme == "http"))
            Log.CertificatesUnused(logger, $"--listen-client-urls has {url.OriginalString}, which is served in clear; write https://");
        return new(TlsKeyring.Open(SelfSignedFiles.Provide(options.ClientTls, options.DataDirectory, urls, TimeProvider.System), TimeProvider.System, logger), "client", logger);
    }

    static void LogServing(SharedPort port, ILogger logger)
    {
        if (port.IsSecured) Log.ServingSecurely(logger, port.EndPoint.ToString()!);
        else Log.ServingInsecurely(logger, port.EndPoint.ToString()!);
    }

    /// <summary>
    /// The cluster knows this member's name and addresses, and it has a leader. Without a quorum that does not come: then clients are let in after a
    /// while all the same, as in etcd, for serializable reads and for probes that tell them why.
    /// </summary>
    static async Task ReadyAsync(ServerOptions options, StoreNode node, CancellationToken stopping)
    {
        var deadline = DateTime.UtcNow + options.ClusterReadyTimeout;
        while (DateTime.UtcNow < deadline)
        {
            if (node.Loop.HasLeader && node.Loop.View.Cluster.Members.TryGetValue(node.Identity.MemberId, out var self) && self.Name.Length > 0) return;
            await Task.Delay(ReadyPollInterval, stopping);
        }
    }

    static async Task WarmUpAsync(ServerOptions options, ClientPorts ports, ILogger logger, CancellationToken stopping)
    {
        try
        {
            var writes = Task.Run(() => ScratchWrites.Run(options.WarmUp / 3, stopping), CancellationToken.None);
            var requests = await new WarmUp((IPEndPoint)ports.Private.EndPoint, options.WarmUp).RunAsync(stopping);
            await writes;
            Log.WarmedUp(logger, requests, (long)options.WarmUp.TotalMilliseconds);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException)
        {
            Log.WarmUpFailed(logger, exception);
        }
    }

    /// <summary>To the follower that has the most of the log, so that the cluster is without a leader for one round trip and not for an election timeout.</summary>
    static async Task HandLeadershipOverAsync(ServerOptions options, ReplicaLoop loop, ILogger logger)
    {
        var status = loop.Status;
        if (!loop.IsLeader) return;
        var target = status.Followers.Where(f => f is { Active: true, IsLearner: false } && f.Id != status.Id).MaxBy(f => f.Match);
        if (target is null) return;
        try
        {
            var error = await loop.TransferLeadershipAsync(target.Id, CancellationToken.None).WaitAsync(TimeSpan.FromMilliseconds(2 * options.ElectionTimeoutMs));
            if (error == StoreError.None) Log.LeadershipTransferred(logger, target.Id.ToString());
            else Log.LeadershipNotTransferred(logger, StatusMapping.ToStatus(error).Detail);
        }
        catch (TimeoutException)
        {
            Log.LeadershipNotTransferred(logger, "nobody took it in time");
        }
    }

    static void LogStart(ServerOptions options, ILogger logger)
    {
        if (!logger.IsEnabled(LogLevel.Information)) return;
        Log.Starting(
            logger, ServerVersion.Own, ServerVersion.Etcd, options.Name, options.DataDirectory,
            string.Join(',', options.ListenClientUrls.Select(u => u.OriginalString)), string.Join(',', options.ListenPeerUrls.Select(u => u.OriginalString)),
            string.Join(',', options.InitialCluster.SelectMany(m => m.PeerUrls.Select(u => $"{m.Name}={u}"))),
            options.InitialClusterState == InitialClusterState.New ? "new" : "existing");
    }

    /// <summary>SIGTERM and SIGINT ask to stop; a second one does not kill: what runs then is bounded in time.</summary>
    sealed class StopSignals : IDisposable
    {
        readonly CancellationTokenSource stopping = new();
        readonly PosixSignalRegistration[] registrations;

        public StopSignals(ILogger logger) => registrations =
        [
            .. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT }.Select(signal => PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Log.Stopping(logger);
                stopping.Cancel();
            })),
        ];

        public CancellationToken Stopping => stopping.Token;

        public void Dispose()
        {
            foreach (var registration in registrations) registration.Dispose();
            stopping.Dispose();
        }
    }
}
