using LocalCluster;

namespace Benchmarks;

/// <summary>One target's figures for one workload, summed over its rounds.</summary>
/// <param name="Outstanding">Requests in flight; for a watch the number of writers.</param>
sealed record Measurement(Product Product, int Members, string Workload, int Outstanding)
{
    public long Answered { get; private set; }
    public long Failed { get; private set; }
    public TimeSpan Elapsed { get; private set; }
    public TimeSpan Cpu { get; private set; }
    public Histogram Latency { get; } = new();
    /// <summary>Of the member that uses most.</summary>
    public long ResidentBytes { get; set; }

    public double PerSecond => Answered / Elapsed.TotalSeconds;

    /// <summary>CPU seconds of all members for 10,000 requests (100,000 events).</summary>
    public double CpuSeconds => Cpu.TotalSeconds / Answered * (Workload == "watch" ? 100_000 : 10_000);

    public void Add(LoadResult round, TimeSpan cpu)
    {
        Answered += round.Answered;
        Failed += round.Failed;
        Elapsed += round.Elapsed;
        Cpu += cpu;
        Latency.Add(round.Latency);
    }
}
