using Microsoft.Extensions.Logging;

namespace Store.Agent;

/// <summary>Has a drill from time to time, on the agent whose turn it is. Before it a delta is taken with the member's hash, so that there is something to compare.</summary>
sealed class DrillLoop(AgentOptions options, AgentParts parts, AgentState state, TimeProvider time, ILogger logger)
{
    static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        var wait = options.DrillInterval > TimeSpan.Zero ? options.DrillInterval : Timeout.InfiniteTimeSpan;
        while (true)
        {
            await Task.Delay(wait, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested) return;
            wait = options.DrillInterval;
            try
            {
                if (state.IsFirst) await DrillAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (BackupException e)
            {
                AgentLog.DrillNotHeld(logger, e.Message);
                if (RetryInterval < wait) wait = RetryInterval;
            }
        }
    }

    async Task DrillAsync(CancellationToken stopping)
    {
        var cluster = (await parts.Member.StatusAsync(stopping)).ClusterId;
        var told = RecoveryPlan.Newest((await parts.Catalogue.ReadAsync(cluster, stopping)).Backups) is { } newest
            ? await parts.Taker.DeltaAsync(newest.Chain[^1], withHash: true, stopping)
            : null;
        var result = await parts.Drill.RunAsync(cluster, told, stopping);
        state.Drilled(result);
        if (result.Problem is null) AgentLog.DrillPassed(logger, result.Revision, result.HashCompared, result.Took.TotalSeconds);
        else AgentLog.DrillFailed(logger, result.Revision, result.Problem);
    }
}
