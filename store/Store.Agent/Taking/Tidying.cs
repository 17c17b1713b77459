using Microsoft.Extensions.Logging;

namespace Store.Agent;

/// <summary>Retention, merging, garbage: none of it is urgent, and all of it may be done by two agents at once.</summary>
sealed class Tidying(AgentOptions options, AgentParts parts, TimeProvider time, ILogger logger)
{
    static readonly TimeSpan InspectionIntervalMax = TimeSpan.FromMinutes(10);

    DateTimeOffset nextInspection;

    public async Task RunAsync(string cluster, CancellationToken stopping)
    {
        foreach (var expired in Retention.Expired((await parts.Catalogue.ReadAsync(cluster, stopping)).Backups, options.Retention))
        {
            await parts.Catalogue.RemoveAsync(expired, stopping);
            AgentLog.Removed(logger, expired.Id, expired.To);
        }
        if (DeltaMerging.Next((await parts.Catalogue.ReadAsync(cluster, stopping)).Backups) is { } run)
        {
            var merged = await parts.Merge.RunAsync(run, BackupTaker.NewId(time.GetUtcNow()), new(options.FullRateLimit, time), stopping);
            AgentLog.Merged(logger, run.Count, merged.From, merged.To, merged.StoredBytes);
        }
        if (time.GetUtcNow() < nextInspection) return;
        var interval = options.GarbageGrace / 4;
        nextInspection = time.GetUtcNow() + (interval < InspectionIntervalMax ? interval : InspectionIntervalMax);
        var collected = await parts.Catalogue.CollectGarbageAsync(cluster, time.GetUtcNow() - options.GarbageGrace, stopping);
        if (collected > 0) AgentLog.CollectedGarbage(logger, collected);
    }
}
