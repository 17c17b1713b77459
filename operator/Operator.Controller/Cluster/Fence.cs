namespace Operator.Controller;

/// <summary>The right to write, up to a time. Every write asks it; work is cancelled by it.</summary>
sealed class Fence : IDisposable
{
    readonly TimeProvider time;
    readonly CancellationTokenSource lost;
    readonly ITimer timer;
    long until;

    public Fence(TimeProvider time, long until, CancellationToken stopping)
    {
        this.time = time;
        this.until = until;
        lost = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Lost = lost.Token;
        timer = time.CreateTimer(_ => Check(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Rearm();
    }

    /// <summary>Cancelled when the right has ended, or the process is asked to stop.</summary>
    public CancellationToken Lost { get; }

    public bool Held => !Lost.IsCancellationRequested && time.GetTimestamp() < Interlocked.Read(ref until);

    /// <summary>Never for a process without rivals.</summary>
    public static Fence Open(TimeProvider time, CancellationToken stopping) => new(time, long.MaxValue, stopping);

    /// <summary>Stands before every write. A process that was frozen wakes up here, with its deadline long past.</summary>
    public void Require()
    {
        if (!Held) throw new OperationCanceledException("leadership has ended", Lost);
    }

    public void Extend(long since, TimeSpan duration)
    {
        Interlocked.Exchange(ref until, since + (long)(duration.TotalSeconds * time.TimestampFrequency));
        Rearm();
    }

    public void Dispose()
    {
        timer.Dispose();
        lost.Dispose();
    }

    void Check()
    {
        if (time.GetTimestamp() >= Interlocked.Read(ref until)) lost.Cancel();
        else Rearm();
    }

    void Rearm()
    {
        var until = Interlocked.Read(ref this.until);
        if (until == long.MaxValue) return;
        var left = Math.Max(0, (until - time.GetTimestamp()) / (double)time.TimestampFrequency);
        timer.Change(TimeSpan.FromSeconds(left) + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
