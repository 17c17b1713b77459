using System.Diagnostics;
using System.Net;

namespace Benchmarks;

/// <summary>
/// Both rivals with the same number of members, started, filled and warmed, then measured in turn: etcd, store, etcd, store. What disturbs the machine
/// for a while disturbs both.
/// </summary>
sealed class Contest(Options options, int size, List<Measurement> results)
{
    const int Watchers = 1000;
    const int WatchConnections = 10;
    const int MemoryKeys = 300_000;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (options.Workloads.Any(w => w != "memory"))
            await MeasureLoadAsync(cancellationToken);
        if (options.Workloads.Contains("memory"))
            await MeasureMemoryAsync(cancellationToken);
    }

    async Task MeasureLoadAsync(CancellationToken cancellationToken)
    {
        var targets = new List<Target>();
        try
        {
            foreach (var product in options.Targets)
            {
                Say($"{product}, {size} member(s): start, fill, warm");
                var target = await Target.StartAsync(product, size, options, cancellationToken);
                targets.Add(target);
                await target.StoreAsync([.. GetWorkload.StoredKeys, .. RangeWorkload.StoredKeys], cancellationToken);
                WarmUp(target);
            }
            foreach (var workload in options.Workloads.Where(w => w is "put" or "cas" or "get" or "range"))
            {
                foreach (var outstanding in options.Outstanding)
                    Alternate(targets, workload, outstanding, target => RunRequests(target, workload, outstanding, options.Measured), cancellationToken);
            }
            if (options.Workloads.Contains("watch"))
            {
                foreach (var writers in new[] { 1, 16 })
                    Alternate(targets, "watch", writers, target => RunWatch(target, writers), cancellationToken);
            }
        }
        finally
        {
            foreach (var target in targets)
                await target.DisposeAsync();
        }
    }

    void Alternate(List<Target> targets, string workload, int outstanding, Func<Target, Round> run, CancellationToken cancellationToken)
    {
        var measurements = targets.ToDictionary(t => t, t => new Measurement(t.Product, size, workload, outstanding));
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var target in targets)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (load, cpu) = run(target);
                measurements[target].Add(load, cpu);
                measurements[target].ResidentBytes = target.ResidentBytes().Max();
            }
        }
        results.AddRange(measurements.Values);
        foreach (var measurement in measurements.Values)
            Say(Tables.Line(measurement));
    }

    /// <summary>Each request kind in turn at 64 outstanding: a server that compiles as it runs has then compiled what will be timed.</summary>
    void WarmUp(Target target)
    {
        var kinds = options.Workloads.Where(w => w is "put" or "cas" or "get" or "range").ToArray();
        foreach (var workload in kinds)
            RunRequests(target, workload, 64, options.Warm / kinds.Length);
        if (options.Workloads.Contains("watch"))
            RunWatch(target, 4);
    }

    Round RunRequests(Target target, string workload, int outstanding, TimeSpan measured)
    {
        // 1 = 1 x 1, 64 = 8 x 8, 256 = 16 x 16.
        var connections = Math.Max(1, (int)Math.Sqrt(outstanding));
        using var loop = new LoadLoop(target.Servers, target.Workload(workload), connections, outstanding / connections);
        return Timed(target, (start, end) => loop.Run(options.Ramp, measured, start, end));
    }

    Round RunWatch(Target target, int writers)
    {
        using var fanOut = new WatchFanOut(new IPEndPoint(IPAddress.Loopback, target.Leader.ClientPort), Watchers, WatchConnections, writers);
        return Timed(target, (start, end) => fanOut.Run(options.Ramp, options.Measured, start, end));
    }

    static Round Timed(Target target, Func<Action, Action, LoadResult> run)
    {
        var before = TimeSpan.Zero;
        var after = TimeSpan.Zero;
        try
        {
            var result = run(() => before = target.Cpu(), () => after = target.Cpu());
            return new Round(result, after - before);
        }
        catch (IOException e)
        {
            throw new IOException($"{target.Product}: {e.Message}\n{target.Logs()}", e);
        }
    }

    /// <summary>
    /// A fresh cluster, 300,000 keys of 512 B by as many puts (transactions would leave etcd with a log of bigger entries in memory), a moment's rest;
    /// the biggest member counts.
    /// </summary>
    async Task MeasureMemoryAsync(CancellationToken cancellationToken)
    {
        foreach (var product in options.Targets)
        {
            await using var target = await Target.StartAsync(product, size, options, cancellationToken);
            var started = Stopwatch.GetTimestamp();
            using (var loop = new LoadLoop(target.Servers, new FillWorkload("memory"), connectionCount: 16, streamsPerConnection: 16))
                loop.Fill(MemoryKeys);
            var loading = Stopwatch.GetElapsedTime(started);
            await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);
            var measurement = new Measurement(product, size, "memory", MemoryKeys) { ResidentBytes = target.ResidentBytes().Max() };
            results.Add(measurement);
            Say($"{Tables.Line(measurement)}, loaded in {loading.TotalSeconds:F1} s");
        }
    }

    static void Say(string line) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {line}");

    readonly record struct Round(LoadResult Load, TimeSpan Cpu);
}
