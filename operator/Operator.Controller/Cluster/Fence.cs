namespace Operator.Controller;

/// <summary>The right to write, up to a time. Every write asks it; work is cancelled by it.</summary>
internal sealed class Fence : IDisposable
{
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost;
    private readonly ITimer _timer;
    private long _until;

    public Fence(TimeProvider time, long until, CancellationToken stopping)
    {
        _time = time;
        _until = until;
        _lost = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Lost = _lost.Token;
        _timer = time.CreateTimer(_ => Check(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Rearm();
    }

    /// <summary>Cancelled when the right has ended, or the process is asked to stop.</summary>
    public CancellationToken Lost { get; }

    public bool Held => !Lost.IsCancellationRequested && _time.GetTimestamp() < Interlocked.Read(ref _until);

    /// <summary>Never for a process without rivals.</summary>
    public static Fence Open(TimeProvider time, CancellationToken stopping) => new(time, long.MaxValue, stopping);

    /// <summary>Stands before every write. A process that was frozen wakes up here, with its deadline long past.</summary>
    public void Require()
    {
        if (!Held) throw new OperationCanceledException("leadership has ended", Lost);
    }

    public void Extend(long since, TimeSpan duration)
    {
        Interlocked.Exchange(ref _until, since + (long)(duration.TotalSeconds * _time.TimestampFrequency));
        Rearm();
    }

    public void Dispose()
    {
        _timer.Dispose();
        _lost.Dispose();
    }

    private void Check()
    {
        if (_time.GetTimestamp() >= Interlocked.Read(ref _until)) _lost.Cancel();
        else Rearm();
    }

    private void Rearm()
    {
        var until = Interlocked.Read(ref _until);
        if (until == long.MaxValue) return;
        var left = Math.Max(0, (until - _time.GetTimestamp()) / (double)_time.TimestampFrequency);
        _timer.Change(TimeSpan.FromSeconds(left) + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
