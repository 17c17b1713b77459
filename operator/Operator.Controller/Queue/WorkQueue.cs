using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Operator.Controller;

/// <summary>Keys that want a pass. A key waits at most once, is worked on by one worker at a time, and comes again if it was added meanwhile.</summary>
/// <remarks>The life of a key: added -> (delayed) -> ready -> taken -> done; an Add between taken and done makes it ready again at done, so that no change that
/// came while a pass ran goes unseen and no two passes of one key overlap.</remarks>
sealed class WorkQueue : IDisposable
{
    readonly Lock gate = new();
    // Bounded by the number of keys, as each is in it once.
    readonly Channel<ObjectKey> ready = Channel.CreateUnbounded<ObjectKey>();
    readonly Dictionary<ObjectKey, long> queuedAt = [];
    readonly Dictionary<ObjectKey, long> working = [];
    readonly HashSet<ObjectKey> again = [];
    readonly PriorityQueue<ObjectKey, long> delays = new();
    readonly Dictionary<ObjectKey, long> due = [];
    readonly Dictionary<ObjectKey, int> failures = [];
    readonly TimeProvider time;
    readonly WorkQueueMetrics metrics;
    readonly ITimer timer;

    public WorkQueue(string name, TimeProvider time)
    {
        this.time = time;
        metrics = new WorkQueueMetrics(name);
        timer = time.CreateTimer(_ => ReleaseDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Telemetry.Watch(name, this);
    }

    /// <summary>Keys that are ready and not yet taken.</summary>
    public int Depth
    {
        get
        {
            lock (gate) return queuedAt.Count;
        }
    }

    public (double LongestSeconds, double SumSeconds) Unfinished()
    {
        lock (gate)
        {
            var seconds = working.Values.Select(since => time.GetElapsedTime(since).TotalSeconds).ToList();
            return seconds.Count == 0 ? (0, 0) : (seconds.Max(), seconds.Sum());
        }
    }

    public void Add(ObjectKey key)
    {
        lock (gate) AddLocked(key);
    }

    /// <summary>The earlier of two delays wins.</summary>
    public void AddAfter(ObjectKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (gate)
        {
            var due = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);
            if (this.due.TryGetValue(key, out var earlier) && earlier <= due) return;
            this.due[key] = due;
            delays.Enqueue(key, due);
            Rearm();
        }
    }

    /// <summary>Comes again after a time that doubles with each failure since the last <see cref="Forget"/>.</summary>
    public void AddRateLimited(ObjectKey key)
    {
        int failures;
        lock (gate) failures = this.failures[key] = this.failures.GetValueOrDefault(key) + 1;
        metrics.Retried();
        AddAfter(key, BackOff.After(failures));
    }

    public void Forget(ObjectKey key)
    {
        lock (gate) failures.Remove(key);
    }

    public async ValueTask<ObjectKey> TakeAsync(CancellationToken cancellation)
    {
        var key = await ready.Reader.ReadAsync(cancellation);
        lock (gate)
        {
            queuedAt.Remove(key, out var since);
            metrics.Waited(time.GetElapsedTime(since));
            working[key] = time.GetTimestamp();
        }

        return key;
    }

    public void Done(ObjectKey key)
    {
        lock (gate)
        {
            if (working.Remove(key, out var since)) metrics.Worked(time.GetElapsedTime(since));
            if (again.Remove(key)) AddLocked(key);
        }
    }

    public void Dispose() => timer.Dispose();

    void AddLocked(ObjectKey key)
    {
        due.Remove(key);
        if (working.ContainsKey(key))
        {
            if (again.Add(key)) metrics.Added();
            return;
        }

        if (!queuedAt.TryAdd(key, time.GetTimestamp())) return;
        metrics.Added();
        ready.Writer.TryWrite(key);
    }

    void ReleaseDue()
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            while (delays.TryPeek(out var key, out var due) && due <= now)
            {
                delays.Dequeue();
                // An entry that was overtaken by an earlier delay or a plain Add is stale.
                if (this.due.TryGetValue(key, out var current) && current == due) AddLocked(key);
            }

            Rearm();
        }
    }

    void Rearm()
    {
        if (!TryNext(out var due)) return;
        var wait = TimeSpan.FromSeconds(Math.Max(0, (due.Value - time.GetTimestamp()) / (double)time.TimestampFrequency));
        // Rounded down, the timer would fire a hair too early, find nothing due, and arm itself with nothing, again and again.
        timer.Change(wait + TimeSpan.FromTicks(1), Timeout.InfiniteTimeSpan);
    }

    bool TryNext([NotNullWhen(true)] out long? due)
    {
        due = delays.TryPeek(out _, out var next) ? next : null;
        return due is not null;
    }
}
