using Microsoft.Extensions.Logging;

namespace Store.Agent;

/// <summary>Has a drill from time to time, on the agent whose turn it is. Before it a delta is taken with the member's hash, so that there is something to compare.</summary>
sealed class DrillLoop(AgentOptions options, AgentParts parts, AgentState state, TimeProvider time, ILogger logger)
{
    static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    DrillResult? last;

    /// <summary>The cluster that <see cref="last"/> is of.</summary>
    string readOf = "";

    public async Task RunAsync(CancellationToken stopping)
    {
        var wait = options.DrillInterval > TimeSpan.Zero ? TimeSpan.Zero : Timeout.InfiniteTimeSpan;
        while (true)
        {
            await Task.Delay(wait, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested) return;
            wait = LookInterval;
            try
            {
                if (state.IsFirst && await IsDueAsync(state.Status, stopping)) await DrillAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (BackupException e)
            {
                AgentLog.DrillNotHeld(logger, e.Message);
                wait = RetryInterval;
            }
        }
    }

    /// <summary>What the target tells is read at the first look, and again before a drill: another agent may have held one since.</summary>
    async Task<bool> IsDueAsync(AgentStatus status, CancellationToken stopping)
    {
        if (status.ClusterId.Length == 0) return false;
        if (readOf == status.ClusterId && !IsDue(status)) return false;
        last = await parts.DrillRecord.ReadAsync(status.ClusterId, stopping);
        readOf = status.ClusterId;
        if (last is not null) state.Drilled(last);
        return IsDue(status);
    }

    bool IsDue(AgentStatus status) => NextDrill.IsDue(last?.At, status.RecoverableFrom, options.DrillInterval, time.GetUtcNow());

    async Task DrillAsync(CancellationToken stopping)
    {
        var cluster = (await parts.Member.StatusAsync(stopping)).ClusterId;
        var told = RecoveryPlan.Newest((await parts.Catalogue.ReadAsync(cluster, stopping)).Backups) is { } newest
            ? await parts.Taker.DeltaAsync(newest.Chain[^1], withHash: true, stopping)
            : null;
        var result = await parts.Drill.RunAsync(cluster, told, stopping);
        (last, readOf) = (result, cluster);
        await KeepAsync(cluster, result, stopping);
        state.Drilled(result);
        if (result.Problem is null) AgentLog.DrillPassed(logger, result.Revision, result.HashCompared, result.Took.TotalSeconds);
        else AgentLog.DrillFailed(logger, result.Revision, result.Problem);
    }

    /// <summary>Before it is told, so that what was told outlives the agent. Without it the next agent holds a drill too many.</summary>
    async Task KeepAsync(string cluster, DrillResult result, CancellationToken stopping)
    {
        try
        {
            await parts.DrillRecord.WriteAsync(cluster, result, stopping);
        }
        catch (BackupException e)
        {
            AgentLog.DrillNotKept(logger, e.Message);
        }
    }
}
