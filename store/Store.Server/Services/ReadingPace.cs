using Store.State;

namespace Store.Server;

/// <summary>
/// Reads pairs no faster than at a rate, by sleeping between a few of them: whoever goes through the whole state at full speed keeps one processor from requests and
/// has the collector stop all of them every few milliseconds.
/// </summary>
/// <param name="ended">Ends the sleep, and the reading, at once.</param>
sealed class ReadingPace(long bytesPerSecond, TimeProvider time, CancellationToken ended)
{
    /// <summary>So much is read between two looks at the clock.</summary>
    const int StepBytes = 64 << 10;

    /// <summary>Shorter sleeps are not worth a timer.</summary>
    static readonly TimeSpan WaitMin = TimeSpan.FromMilliseconds(4);

    /// <summary>Whoever has been slower than the rate for longer does not run to catch up.</summary>
    static readonly TimeSpan BehindMax = TimeSpan.FromMilliseconds(20);

    long started = time.GetTimestamp();
    long read;
    long looked;

    public IReadOnlyList<BackendBucket> Hold(IReadOnlyList<BackendBucket> buckets) => [.. buckets.Select(bucket => bucket with { Pairs = Hold(bucket.Pairs) })];

    IEnumerable<BackendPair> Hold(IEnumerable<BackendPair> pairs)
    {
        foreach (var pair in pairs)
        {
            yield return pair;
            read += pair.Key.Length + pair.Value.Length;
            if (read - looked >= StepBytes) Wait();
        }
    }

    void Wait()
    {
        looked = read;
        var ahead = TimeSpan.FromSeconds((double)read / bytesPerSecond) - time.GetElapsedTime(started);
        if (ahead >= WaitMin && ended.WaitHandle.WaitOne(ahead)) ended.ThrowIfCancellationRequested();
        if (ahead < -BehindMax) (started, read, looked) = (time.GetTimestamp(), 0, 0);
    }
}
