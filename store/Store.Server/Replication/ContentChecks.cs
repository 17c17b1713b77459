using Store.State;

namespace Store.Server;

/// <summary>When the leader reads and compares everything that members hold: at intervals, and after compactions where that is asked for.</summary>
sealed class ContentChecks(IntegrityOptions options, ReplicaLoop loop, TimeProvider time)
{
    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(
        EveryAsync(options.Interval, () => true, stopping),
        EveryAsync(options.AfterCompactionInterval, CompactedSince(), stopping));

    async Task EveryAsync(TimeSpan interval, Func<bool> isDue, CancellationToken stopping)
    {
        if (interval <= TimeSpan.Zero) return;
        try
        {
            using var timer = new PeriodicTimer(interval, time);
            while (await timer.WaitForNextTickAsync(stopping))
            {
                if (loop.IsLeader && isDue()) await loop.CompareContentAsync(stopping);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    Func<bool> CompactedSince()
    {
        var compared = Revision.Initial;
        return () =>
        {
            var compacted = loop.View.Compacted;
            if (compacted <= compared) return false;
            compared = compacted;
            return true;
        };
    }
}
