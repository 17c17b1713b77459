using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Operator.Controller;

/// <summary>Keys that want a pass. A key waits at most once, is worked on by one worker at a time, and comes again if it was added meanwhile.</summary>
/// <remarks>The life of a key: added -> (delayed) -> ready -> taken -> done; an Add between taken and done makes it ready again at done, so that no change that
/// came while a pass ran goes unseen and no two passes of one key overlap.</remarks>
internal sealed class WorkQueue : IDisposable
{
    private readonly Lock _lock = new();
    // Bounded by the number of keys, as each is in it once.
    private readonly Channel<ObjectKey> _ready = Channel.CreateUnbounded<ObjectKey>();
    private readonly Dictionary<ObjectKey, long> _queuedAt = [];
    private readonly Dictionary<ObjectKey, long> _working = [];
    private readonly HashSet<ObjectKey> _again = [];
    private readonly PriorityQueue<ObjectKey, long> _delays = new();
    private readonly Dictionary<ObjectKey, long> _due = [];
    private readonly Dictionary<ObjectKey, int> _failures = [];
    private readonly TimeProvider _time;
    private readonly WorkQueueMetrics _metrics;
    private readonly ITimer _timer;

    public WorkQueue(string name, TimeProvider time)
    {
        _time = time;
        _metrics = new WorkQueueMetrics(name);
        _timer = time.CreateTimer(_ => ReleaseDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Telemetry.Watch(name, this);
    }

    /// <summary>Keys that are ready and not yet taken.</summary>
    public int Depth
    {
        get
        {
            lock (_lock) return _queuedAt.Count;
        }
    }

    public (double LongestSeconds, double SumSeconds) Unfinished()
    {
        lock (_lock)
        {
            var seconds = _working.Values.Select(since => _time.GetElapsedTime(since).TotalSeconds).ToList();
            return seconds.Count == 0 ? (0, 0) : (seconds.Max(), seconds.Sum());
        }
    }

    public void Add(ObjectKey key)
    {
        lock (_lock) AddLocked(key);
    }

    /// <summary>The earlier of two delays wins.</summary>
    public void AddAfter(ObjectKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (_lock)
        {
            var due = _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);
            if (_due.TryGetValue(key, out var earlier) && earlier <= due) return;
            _due[key] = due;
            _delays.Enqueue(key, due);
            Rearm();
        }
    }

    /// <summary>Comes again after a time that doubles with each failure since the last <see cref="Forget"/>.</summary>
    public void AddRateLimited(ObjectKey key)
    {
        int failures;
        lock (_lock) failures = _failures[key] = _failures.GetValueOrDefault(key) + 1;
        _metrics.Retried();
        AddAfter(key, BackOff.After(failures));
    }

    public void Forget(ObjectKey key)
    {
        lock (_lock) _failures.Remove(key);
    }

    public async ValueTask<ObjectKey> TakeAsync(CancellationToken cancellation)
    {
        var key = await _ready.Reader.ReadAsync(cancellation);
        lock (_lock)
        {
            _queuedAt.Remove(key, out var since);
            _metrics.Waited(_time.GetElapsedTime(since));
            _working[key] = _time.GetTimestamp();
        }

        return key;
    }

    public void Done(ObjectKey key)
    {
        lock (_lock)
        {
            if (_working.Remove(key, out var since)) _metrics.Worked(_time.GetElapsedTime(since));
            if (_again.Remove(key)) AddLocked(key);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void AddLocked(ObjectKey key)
    {
        _due.Remove(key);
        if (_working.ContainsKey(key))
        {
            if (_again.Add(key)) _metrics.Added();
            return;
        }

        if (!_queuedAt.TryAdd(key, _time.GetTimestamp())) return;
        _metrics.Added();
        _ready.Writer.TryWrite(key);
    }

    private void ReleaseDue()
    {
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            while (_delays.TryPeek(out var key, out var due) && due <= now)
            {
                _delays.Dequeue();
                // An entry that was overtaken by an earlier delay or a plain Add is stale.
                if (_due.TryGetValue(key, out var current) && current == due) AddLocked(key);
            }

            Rearm();
        }
    }

    private void Rearm()
    {
        if (!TryNext(out var due)) return;
        var wait = TimeSpan.FromSeconds(Math.Max(0, (due.Value - _time.GetTimestamp()) / (double)_time.TimestampFrequency));
        // Rounded down, the timer would fire a hair too early, find nothing due, and arm itself with nothing, again and again.
        _timer.Change(wait + TimeSpan.FromTicks(1), Timeout.InfiniteTimeSpan);
    }

    private bool TryNext([NotNullWhen(true)] out long? due)
    {
        due = _delays.TryPeek(out _, out var next) ? next : null;
        return due is not null;
    }
}
