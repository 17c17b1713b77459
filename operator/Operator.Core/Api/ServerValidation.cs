namespace Operator.Core;

/// <summary>What spec.server may say.</summary>
static class ServerValidation
{
    public static string? Check(StoreClusterSpec spec)
    {
        if (spec.Server is not { } server) return null;
        return Timeouts(server)
            ?? SpecValidation.MoreThanZero("spec.server.quotaBytes", server.QuotaBytes)
            ?? QuotaFitsVolume(server, spec.Storage.Size)
            ?? SpecValidation.MoreThanZero("spec.server.maxRequestBytes", server.MaxRequestBytes)
            ?? Compaction(server.AutoCompaction);
    }

    static string? Timeouts(ServerSpec server)
    {
        var heartbeat = server.HeartbeatIntervalMs ?? ServerSpec.DefaultHeartbeatIntervalMs;
        var election = server.ElectionTimeoutMs ?? ServerSpec.DefaultElectionTimeoutMs;
        return election >= 5 * heartbeat
            ? null
            : $"spec.server.electionTimeoutMs is {election}; use at least {5 * heartbeat}, five heartbeat intervals, or a late heartbeat deposes the leader";
    }

    /// <summary>The log and the files that compaction is about to free need room beside the live bytes.</summary>
    static string? QuotaFitsVolume(ServerSpec server, Quantity size) =>
        server.QuotaBytes is { } quota && quota.ToResourceQuantity().ToDecimal() > size.ToResourceQuantity().ToDecimal() * 4 / 5
            ? $"spec.server.quotaBytes ({quota}) is more than four fifths of spec.storage.size ({size}); the log needs room on the same volume"
            : null;

    static string? Compaction(AutoCompactionSpec? compaction)
    {
        if (compaction is null) return null;
        return (compaction.Mode, char.IsAsciiDigit(compaction.Retention[^1])) switch
        {
            (AutoCompactionSpec.Revision, false) => $"spec.server.autoCompaction.retention is \"{compaction.Retention}\"; in mode Revision it is a number of revisions, such as 1000",
            (AutoCompactionSpec.Periodic, true) => $"spec.server.autoCompaction.retention is \"{compaction.Retention}\"; in mode Periodic it is a time, such as 5m or 1h",
            _ => null,
        };
    }
}
