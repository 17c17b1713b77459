using Microsoft.Extensions.Logging;

namespace Store.Agent;

/// <summary>Everything that the agent says, in one place.</summary>
static partial class AgentLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "starting the backup agent")]
    public static partial void Starting(ILogger logger, string version, string endpoint, string location, bool encrypted, double deltaSeconds, double fullSeconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "serving metrics and health of the agent")]
    public static partial void Serving(ILogger logger, string address, string controlAddress);

    [LoggerMessage(Level = LogLevel.Warning, Message = "a backup was not taken; will try again")]
    public static partial void AttemptFailed(ILogger logger, string failure, string reason, double againInSeconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "taking a full backup")]
    public static partial void TakingFull(ILogger logger, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "took a full backup")]
    public static partial void TookFull(ILogger logger, string id, long revision, long bytes, long storedBytes, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "removed a backup that nothing keeps any more")]
    public static partial void Removed(ILogger logger, string id, long revision);

    [LoggerMessage(Level = LogLevel.Information, Message = "merged deltas")]
    public static partial void Merged(ILogger logger, int count, long from, long to, long storedBytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "removed objects that belong to no backup")]
    public static partial void CollectedGarbage(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "a listed backup cannot be used")]
    public static partial void Unusable(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "a drill succeeded: the newest backup restores")]
    public static partial void DrillPassed(ILogger logger, long revision, bool hashCompared, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "a drill failed: the newest backup does not restore")]
    public static partial void DrillFailed(ILogger logger, long revision, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "a drill was not held; will try again")]
    public static partial void DrillNotHeld(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "a drill was held, and that it was could not be stored; after a restart it is held again")]
    public static partial void DrillNotKept(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "the backup agent has stopped")]
    public static partial void Stopped(ILogger logger);
}
