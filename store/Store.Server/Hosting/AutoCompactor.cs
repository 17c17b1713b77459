using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>
/// `--auto-compaction-mode` (contract 1.15): keeps so much history, by time or by number of revisions. Each member runs it; only the leader acts.
/// </summary>
sealed class AutoCompactor(ServerOptions options, ReplicaLoop loop, TimeProvider time, ILogger logger)
{
    static readonly TimeSpan RevisionInterval = TimeSpan.FromMinutes(5);

    /// <summary>Until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (options.AutoCompactionMode == AutoCompactionMode.Off) return;
        var samples = new RevisionSamples(options.AutoCompactionPeriod);
        var interval = options.AutoCompactionMode == AutoCompactionMode.Revision ? RevisionInterval : samples.Interval;
        using var timer = new PeriodicTimer(interval, time);
        var done = Revision.None;
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var current = loop.View.Revision;
                var target = options.AutoCompactionMode == AutoCompactionMode.Revision
                    ? new Revision(current.Value - options.AutoCompactionRevisions)
                    : samples.Add(current);
                if (target <= done || target.Value <= 0 || loop.Status.Role != RaftRole.Leader) continue;
                if (await CompactAsync(target)) done = target;
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    async Task<bool> CompactAsync(Revision target)
    {
        Log.CompactionStarting(logger, target.Value);
        var started = Stopwatch.GetTimestamp();
        var reply = await loop.ProposeAsync(new Command { Compaction = new CompactionRequest { Revision = target.Value } }, CancellationToken.None);
        var error = reply.Error != StoreError.None ? reply.Error : reply.Result!.Error;
        // Somebody else may have compacted as far already: just as good.
        if (error is StoreError.None or StoreError.Compacted)
        {
            var tookMs = (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            Log.CompactionCompleted(logger, target.Value, tookMs);
            return true;
        }

        Log.CompactionFailed(logger, target.Value, StatusMapping.ToStatus(error).Detail);
        return false;
    }
}

/// <summary>
/// Revisions by age. With a period of an hour a sample is taken each six minutes (a tenth), and once eleven are there the oldest, an hour old, may be
/// compacted. Periods over an hour sample by the hour's tenth too, as in etcd.
/// </summary>
sealed class RevisionSamples
{
    const int SamplesPerInterval = 10;

    readonly Queue<Revision> samples = new();
    readonly int kept;

    public RevisionSamples(TimeSpan period)
    {
        var span = period < TimeSpan.FromHours(1) ? period : TimeSpan.FromHours(1);
        Interval = span / SamplesPerInterval;
        if (Interval <= TimeSpan.Zero) Interval = TimeSpan.FromMilliseconds(1);
        kept = (int)Math.Max(1, period / Interval);
    }

    public TimeSpan Interval { get; }

    /// <summary>The revision of one period ago; None while there is no such history.</summary>
    public Revision Add(Revision now)
    {
        samples.Enqueue(now);
        return samples.Count > kept ? samples.Dequeue() : Revision.None;
    }
}
