using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>Everything this process says, in one place; the words follow etcd's where operators grep for them.</summary>
static partial class Log
{
    [LoggerMessage(Level = LogLevel.Error, Message = "stopped accepting connections")]
    public static partial void AcceptFailed(ILogger logger, string address, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "invalid authentication was requested")]
    public static partial void LoginRefused(ILogger logger, string user, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "starting the store")]
    public static partial void Starting(ILogger logger, string version, string etcdVersion, string name, string dataDir, string listenClientUrls, string listenPeerUrls, string initialCluster, string initialClusterState);

    [LoggerMessage(Level = LogLevel.Warning, Message = "found something odd in the configuration")]
    public static partial void ConfigurationNotice(ILogger logger, string notice);

    [LoggerMessage(Level = LogLevel.Warning, Message = "could not ask the discovery service; will try again")]
    public static partial void DiscoveryUnreachable(ILogger logger, string endpoint, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "found the members of the new cluster")]
    public static partial void Discovered(ILogger logger, string initialCluster);

    [LoggerMessage(Level = LogLevel.Information, Message = "ready to serve client requests")]
    public static partial void Ready(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "serving client traffic insecurely; this is strongly discouraged!")]
    public static partial void ServingInsecurely(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Information, Message = "serving metrics")]
    public static partial void ServingMetrics(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Information, Message = "received signal; shutting down")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "transferred leadership")]
    public static partial void LeadershipTransferred(ILogger logger, string target);

    [LoggerMessage(Level = LogLevel.Warning, Message = "could not hand leadership over before stopping")]
    public static partial void LeadershipNotTransferred(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "request path is warm")]
    public static partial void WarmedUp(ILogger logger, int requests, long tookMs);

    [LoggerMessage(Level = LogLevel.Warning, Message = "warm-up of the request path failed; serving cold")]
    public static partial void WarmUpFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "a request failed unexpectedly")]
    public static partial void RequestFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "starting auto compaction")]
    public static partial void CompactionStarting(ILogger logger, long revision);

    [LoggerMessage(Level = LogLevel.Information, Message = "completed auto compaction")]
    public static partial void CompactionCompleted(ILogger logger, long revision, long tookMs);

    [LoggerMessage(Level = LogLevel.Warning, Message = "failed auto compaction")]
    public static partial void CompactionFailed(ILogger logger, long revision, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "health check failed")]
    public static partial void HealthCheckFailed(ILogger logger, string path, string reason);
}
