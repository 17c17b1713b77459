namespace Store.Server;

/// <summary>
/// Tells streams that asked for a leader (metadata "hasleader") when there has been none for three election timeouts, as etcd does: their clients
/// then turn to another member instead of waiting for a partition to heal.
/// </summary>
public sealed class LeaderLoss : IDisposable
{
    const int MissesMax = 3;

    readonly Func<bool> hasLeader;
    readonly ITimer timer;
    CancellationTokenSource lost = new();
    int misses;

    public LeaderLoss(Func<bool> hasLeader, TimeSpan electionTimeout, TimeProvider time)
    {
        this.hasLeader = hasLeader;
        timer = time.CreateTimer(static state => ((LeaderLoss)state!).Look(), this, electionTimeout, electionTimeout);
    }

    public bool HasLeader => hasLeader();

    /// <summary>Cancelled when the leader has been missed for too long; ask again for every stream.</summary>
    public CancellationToken Lost => Volatile.Read(ref lost).Token;

    public void Dispose() => timer.Dispose();

    void Look()
    {
        if (hasLeader())
        {
            misses = 0;
            // The source that was cancelled is left to the collector: streams may still hold its token.
            if (lost.IsCancellationRequested) Volatile.Write(ref lost, new());
        }
        else if (++misses == MissesMax)
        {
            lost.Cancel();
        }
    }
}
