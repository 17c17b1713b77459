using System.Diagnostics;
using System.Numerics;

namespace Benchmarks;

/// <summary>
/// Latencies in buckets that grow with the value: 64 to each power of two, so that any quantile is within 1.6 % at any scale and recording costs
/// a few nanoseconds.
/// </summary>
sealed class Histogram
{
    const int SubBucketBits = 6;
    const int SubBuckets = 1 << SubBucketBits;

    readonly long[] counts = new long[(64 - SubBucketBits + 1) * SubBuckets];

    public long Count { get; private set; }

    public void Record(long nanoseconds)
    {
        counts[BucketOf((ulong)Math.Max(0, nanoseconds))]++;
        Count++;
    }

    public void Add(Histogram other)
    {
        for (var i = 0; i < counts.Length; i++)
            counts[i] += other.counts[i];
        Count += other.Count;
    }

    /// <param name="quantile">0.5 is the median.</param>
    public TimeSpan At(double quantile)
    {
        var wanted = (long)Math.Ceiling(Count * quantile);
        long seen = 0;
        for (var bucket = 0; bucket < counts.Length; bucket++)
        {
            seen += counts[bucket];
            if (seen >= wanted && seen > 0)
                return TimeSpan.FromMicroseconds(LowerEdge(bucket) / 1000.0);
        }
        return TimeSpan.Zero;
    }

    public static long NanosecondsSince(long timestamp) => (Stopwatch.GetTimestamp() - timestamp) * (1_000_000_000 / Stopwatch.Frequency);

    /// <example>0..63 have a bucket each; 64..127 too; 128..255 share one by two, and so on.</example>
    static int BucketOf(ulong value)
    {
        if (value < SubBuckets)
            return (int)value;
        var shift = BitOperations.Log2(value) - SubBucketBits;
        return ((shift + 1) * SubBuckets) + (int)((value >> shift) - SubBuckets);
    }

    static double LowerEdge(int bucket)
    {
        if (bucket < SubBuckets)
            return bucket;
        var shift = (bucket / SubBuckets) - 1;
        return (double)(SubBuckets + (bucket % SubBuckets)) * Math.Pow(2, shift);
    }
}
