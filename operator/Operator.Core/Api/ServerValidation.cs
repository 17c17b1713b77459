namespace Operator.Core;

/// <summary>What spec.server may say.</summary>
internal static class ServerValidation
{
    public static string? Check(StoreClusterSpec spec)
    {
        if (spec.Server is not { } server) return null;
        return SpecValidation.Within("spec.server.heartbeatIntervalMs", server.HeartbeatIntervalMs, 10, 10000)
            ?? SpecValidation.Within("spec.server.electionTimeoutMs", server.ElectionTimeoutMs, 50, 50000)
            ?? Timeouts(server)
            ?? SpecValidation.PositiveQuantity("spec.server.quotaBytes", server.QuotaBytes)
            ?? QuotaFitsVolume(server, spec.Storage.Size)
            ?? SpecValidation.PositiveQuantity("spec.server.maxRequestBytes", server.MaxRequestBytes)
            ?? SpecValidation.Within("spec.server.maxTxnOps", server.MaxTxnOps, 1, 100000)
            ?? SpecValidation.Within("spec.server.snapshotCatchUpEntries", server.SnapshotCatchUpEntries, 100, 10000000)
            ?? SpecValidation.OneOf("spec.server.logLevel", server.LogLevel, "Debug", "Info", "Warn", "Error")
            ?? Compaction(server.AutoCompaction);
    }

    private static string? Timeouts(ServerSpec server)
    {
        var heartbeat = server.HeartbeatIntervalMs ?? ServerSpec.DefaultHeartbeatIntervalMs;
        var election = server.ElectionTimeoutMs ?? ServerSpec.DefaultElectionTimeoutMs;
        return election >= 5 * heartbeat
            ? null
            : $"spec.server.electionTimeoutMs is {election}; use at least {5 * heartbeat}, five heartbeat intervals, or a late heartbeat deposes the leader";
    }

    /// <summary>The log and the files that compaction is about to free need room beside the live bytes.</summary>
    private static string? QuotaFitsVolume(ServerSpec server, Quantity size) =>
        server.QuotaBytes is { } quota && quota.ToResourceQuantity().ToDecimal() > size.ToResourceQuantity().ToDecimal() * 4 / 5
            ? $"spec.server.quotaBytes ({quota}) is more than four fifths of spec.storage.size ({size}); the log needs room on the same volume"
            : null;

    private static string? Compaction(AutoCompactionSpec? compaction)
    {
        if (compaction is null) return null;
        if (SpecValidation.OneOf("spec.server.autoCompaction.mode", compaction.Mode, AutoCompactionSpec.Periodic, AutoCompactionSpec.Revision) is { } error) return error;
        var number = compaction.Retention.TrimEnd('s', 'm', 'h');
        var isNumber = number.Length > 0 && number.All(char.IsAsciiDigit) && number[0] != '0' && compaction.Retention.Length - number.Length <= 1;
        if (!isNumber) return $"spec.server.autoCompaction.retention is \"{compaction.Retention}\"; write a time such as 5m or 1h, or a number of revisions";
        return (compaction.Mode, number == compaction.Retention) switch
        {
            (AutoCompactionSpec.Revision, false) => $"spec.server.autoCompaction.retention is \"{compaction.Retention}\"; in mode Revision it is a number of revisions, such as 1000",
            (AutoCompactionSpec.Periodic, true) => $"spec.server.autoCompaction.retention is \"{compaction.Retention}\"; in mode Periodic it is a time, such as 5m or 1h",
            _ => null,
        };
    }
}
