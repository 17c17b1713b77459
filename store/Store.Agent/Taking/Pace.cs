namespace Store.Agent;

/// <summary>Holds whoever moves many bytes down to a rate, so that a full backup takes no more of processor, disk and network than it was given.</summary>
/// <param name="bytesPerSecond">0 for as fast as it goes.</param>
public sealed class Pace(long bytesPerSecond, TimeProvider time)
{
    /// <summary>Shorter waits are not worth a timer.</summary>
    static readonly TimeSpan WaitMin = TimeSpan.FromMilliseconds(10);

    /// <summary>Whoever has been slower than the rate for longer does not run to catch up.</summary>
    static readonly TimeSpan BehindMax = TimeSpan.FromSeconds(1);

    long started = time.GetTimestamp();
    long passed;

    public static Pace None { get; } = new(0, TimeProvider.System);

    /// <summary>Returns when so many bytes more may have been moved.</summary>
    public async ValueTask PassAsync(long bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond == 0) return;
        passed += bytes;
        var ahead = TimeSpan.FromSeconds((double)passed / bytesPerSecond) - time.GetElapsedTime(started);
        if (ahead >= WaitMin) await Task.Delay(ahead, time, cancellationToken);
        if (ahead < -BehindMax) (started, passed) = (time.GetTimestamp(), 0);
    }
}
