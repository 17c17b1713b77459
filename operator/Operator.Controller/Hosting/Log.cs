namespace Operator.Controller;

/// <summary>Every line that the operator logs.</summary>
static partial class Log
{
    [LoggerMessage(LogLevel.Information, "store-operator {Version} starts, watching {Namespaces}, default image {Image}")]
    public static partial void Starting(ILogger logger, string version, string namespaces, string image);

    [LoggerMessage(LogLevel.Information, "caches are in step with the API server")]
    public static partial void Synced(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "watch of {Kind} ended: {Error}; trying again")]
    public static partial void WatchFailed(ILogger logger, string kind, string error);

    [LoggerMessage(LogLevel.Warning, "list of {Kind} failed: {Error}; trying again")]
    public static partial void ListFailed(ILogger logger, string kind, string error);

    [LoggerMessage(LogLevel.Error, "{Count} {Kind} objects could not be read and are ignored")]
    public static partial void Unreadable(ILogger logger, string kind, int count);

    [LoggerMessage(LogLevel.Information, "{Identity} leads")]
    public static partial void Leading(ILogger logger, string identity);

    [LoggerMessage(LogLevel.Information, "{Identity} gave the lease back")]
    public static partial void Released(ILogger logger, string identity);

    [LoggerMessage(LogLevel.Error, "leadership was lost; the process ends so that it starts afresh")]
    public static partial void LeadershipLost(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "the lease could not be taken or renewed: {Error}")]
    public static partial void LeaseFailed(ILogger logger, string error);

    [LoggerMessage(LogLevel.Information, "{Cluster}: {Rule}: {Step}")]
    public static partial void Stepping(ILogger logger, ObjectKey cluster, string rule, string step);

    [LoggerMessage(LogLevel.Warning, "{Cluster}: {Rule} failed: {Error}")]
    public static partial void StepFailed(ILogger logger, ObjectKey cluster, string rule, string error);

    [LoggerMessage(LogLevel.Warning, "{Kind} {Entity}: {Error}; it is tried again")]
    public static partial void Refused(ILogger logger, string kind, ObjectKey entity, string error);

    [LoggerMessage(LogLevel.Information, "{Cluster}: Ready={Status} {Reason}: {Message}")]
    public static partial void ReadyChanged(ILogger logger, ObjectKey cluster, string status, string reason, string message);

    [LoggerMessage(LogLevel.Error, "{Cluster}: the pass failed unexpectedly")]
    public static partial void PassFailed(ILogger logger, Exception failure, ObjectKey cluster);

    [LoggerMessage(LogLevel.Debug, "event {Reason} could not be written: {Error}")]
    public static partial void EventFailed(ILogger logger, string reason, string error);
}
