using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>
/// How long backups take, how far they lag, and what writers notice. BACKUP_MIB=1024 fills the store with so much before; BACKUP_SECONDS=20 writes for so long beside the
/// agent and for as long alone, BACKUP_ROUNDS=3 by turns so many times: what else goes on in a machine changes within minutes. BACKUP_WRITES=500 is another rate. BACKUP_LOCATION is a folder for the backups on
/// another disk than the member's, which is where they belong. The figures are printed; what is asserted
/// holds on a busy machine, too.
/// </summary>
public sealed class FigureTests(ITestOutputHelper output) : IDisposable
{
    const int ValueBytes = 1024, Writers = 32;
    static readonly int WritesPerSecond = Number("BACKUP_WRITES", 2000);

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("agent-figures-");
    readonly byte[] noise = new byte[1 << 20];

    static int Number(string variable, int orElse) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : orElse;

    string Location => Environment.GetEnvironmentVariable("BACKUP_LOCATION") ?? Path.Combine(folder.FullName, "backups");

    [Fact]
    public async Task Backups_keep_up_with_two_thousand_writes_a_second()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var (mebibytes, window, rounds) = (Number("BACKUP_MIB", 16), TimeSpan.FromSeconds(Number("BACKUP_SECONDS", 4)), Number("BACKUP_ROUNDS", 1));
        new Random(1).NextBytes(noise);
        Directory.CreateDirectory(Location);
        output.WriteLine($"load of the machine before: {File.ReadAllText("/proc/loadavg")}");
        await using (var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled, null, ["--quota-backend-bytes=8589934592", .. LoopbackCluster.Warm(Product.Store)]))
        {
            await FillAsync(cluster[0], mebibytes, cancelled);
            await WriteAsync(cluster[0], TimeSpan.FromSeconds(2), cancelled);
            await FirstFullAsync(cluster[0], window, cancelled);
            await BesideAndAloneAsync(cluster[0], window, rounds, cancelled);
        }
        await RestoreAsync(cancelled);
        output.WriteLine($"load of the machine after: {File.ReadAllText("/proc/loadavg")}");
    }

    /// <summary>
    /// The agent is held still for each window alone, so that the two of a round are seconds apart and the same process is measured in all: what the disk and the machine do by
    /// themselves varies more between minutes than by any agent. Rounds are compared one by one and their medians told, and all together: in one round a few pauses decide.
    /// </summary>
    async Task BesideAndAloneAsync(MemberProcess member, TimeSpan window, int rounds, CancellationToken cancelled)
    {
        await using var agent = Agent(member);
        await CatchUpAsync(agent, member, cancelled);
        List<double> alone = [], beside = [], lags = [], allAlone = [], allBeside = [];
        var processor = TimeSpan.Zero;
        for (var round = 0; round < rounds; round++)
        {
            await agent.SignalAsync("STOP");
            var without = await WriteAsync(member, window, cancelled);
            await agent.SignalAsync("CONT");
            await WriteAsync(member, TimeSpan.FromSeconds(3), cancelled);
            var before = agent.Processor;
            var with = await WithLagsAsync(agent, lags, () => WriteAsync(member, window, cancelled));
            processor += agent.Processor - before;
            output.WriteLine($"round {round}: alone p99 {Percentile(without, 99):0.00} ms, with agent {Percentile(with, 99):0.00} ms");
            alone.Add(Percentile(without, 99));
            beside.Add(Percentile(with, 99));
            allAlone.AddRange(without);
            allBeside.AddRange(with);
        }
        var times = alone.Zip(beside, (without, with) => with / without).ToList();
        output.WriteLine($"p99 of writes, median of rounds: alone {Percentile(alone, 50):0.00} ms, with agent {Percentile(beside, 50):0.00} ms; median of their quotients {Percentile(times, 50):0.00}");
        output.WriteLine($"all rounds together: alone p99 {Percentile(allAlone, 99):0.00} ms, with agent {Percentile(allBeside, 99):0.00} ms, quotient {Percentile(allBeside, 99) / Percentile(allAlone, 99):0.00}");
        output.WriteLine($"recoverable moment behind now: {Describe(lags, "s")}; the agent took {processor / (rounds * window) * 100:0} % of a processor");
        Assert.True(Percentile(lags, 50) < 15, Describe(lags, "s"));
    }

    /// <summary>Under the same load: what writers notice of it, and how far behind the recoverable moment is from the time on that it is there.</summary>
    async Task FirstFullAsync(MemberProcess member, TimeSpan window, CancellationToken cancelled)
    {
        var started = Stopwatch.GetTimestamp();
        await using var agent = Agent(member);
        List<double> during = [], lags = [];
        await agent.WaitAsync("a full backup", status => status.GetProperty("fulls").GetInt32() > 0, cancelled, async () => during.AddRange(await WriteAsync(member, TimeSpan.FromSeconds(1), cancelled)));
        var took = Stopwatch.GetElapsedTime(started);
        await WithLagsAsync(agent, lags, () => WriteAsync(member, window, cancelled));
        var full = (await agent.StatusAsync(cancelled)).GetProperty("lastFull");
        output.WriteLine($"full backup of {full.GetProperty("bytes").GetInt64() >> 20} MiB, {full.GetProperty("storedBytes").GetInt64() >> 20} stored: {took.TotalSeconds:0.0} s from the agent's start");
        output.WriteLine($"writes during it:  {Describe(during)}");
        output.WriteLine($"recoverable moment behind now, from then on: {Describe(lags, "s")}");
    }

    /// <summary>It was down while others were measured; and most of its code is compiled by then.</summary>
    async Task CatchUpAsync(AgentUnderTest agent, MemberProcess member, CancellationToken cancelled)
    {
        var started = Stopwatch.GetTimestamp();
        await agent.WaitAsync(
            "it has caught up",
            status => Stopwatch.GetElapsedTime(started).TotalSeconds > 8 && status.TryGetProperty("recoverableTo", out var to) && DateTimeOffset.UtcNow - to.GetDateTimeOffset() < TimeSpan.FromSeconds(3),
            cancelled, () => WriteAsync(member, TimeSpan.FromSeconds(1), cancelled));
    }

    AgentUnderTest Agent(MemberProcess member) => new(member.ClientUrl, Location, Path.Combine(folder.FullName, "scratch"), "--delta-interval=2s");

    async Task RestoreAsync(CancellationToken cancelled)
    {
        var restoring = Stopwatch.GetTimestamp();
        await using var restored = LoopbackCluster.Create(Product.Store, 1);
        (await Shell.RunAsync(
            Binaries.Store,
            [
                "snapshot", "restore", "--from", Location, "--data-dir", restored[0].DataDirectory, "--name", restored[0].Name, "--initial-cluster", restored.InitialCluster,
                "--initial-cluster-token", restored.Token, "--initial-advertise-peer-urls", restored[0].PeerUrl,
            ], null, TimeSpan.FromMinutes(10), cancellationToken: cancelled)).Succeeded();
        output.WriteLine($"restore: {Stopwatch.GetElapsedTime(restoring).TotalSeconds:0.0} s");
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <param name="lags">Takes seconds, looked at four times a second while the work is done.</param>
    static async Task<T> WithLagsAsync<T>(AgentUnderTest agent, List<double> lags, Func<Task<T>> work)
    {
        using var done = new CancellationTokenSource();
        var looking = LookAsync();
        var result = await work();
        await done.CancelAsync();
        await looking;
        return result;

        async Task LookAsync()
        {
            try
            {
                while (true)
                {
                    var to = (await agent.StatusAsync(done.Token)).GetProperty("recoverableTo").GetDateTimeOffset();
                    lags.Add((DateTimeOffset.UtcNow - to).TotalSeconds);
                    await Task.Delay(250, done.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // The work is done.
            }
        }
    }

    Task FillAsync(MemberProcess member, int mebibytes, CancellationToken cancelled) =>
        Parallel.ForAsync(0, mebibytes << 10, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancelled }, async (i, token) =>
            await PutAsync(member, $"/registry/pods/{i:D8}", i, token));

    /// <summary>At a steady rate, each writer in its own slots of time.</summary>
    /// <returns>How long each took, in milliseconds.</returns>
    async Task<double[]> WriteAsync(MemberProcess member, TimeSpan window, CancellationToken cancelled)
    {
        var (started, count) = (Stopwatch.GetTimestamp(), (int)(window.TotalSeconds * WritesPerSecond));
        var latencies = new double[count];
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            for (var i = writer; i < count; i += Writers)
            {
                var wait = TimeSpan.FromSeconds((double)i / WritesPerSecond) - Stopwatch.GetElapsedTime(started);
                if (wait > TimeSpan.FromMilliseconds(1)) await Task.Delay(wait, cancelled);
                var asked = Stopwatch.GetTimestamp();
                await PutAsync(member, $"/registry/leases/{i % 5000:D8}", i, cancelled);
                latencies[i] = Stopwatch.GetElapsedTime(asked).TotalMilliseconds;
            }
        }));
        return latencies;
    }

    static double Percentile(IEnumerable<double> values, int percent) => values.Order().ToList() is { Count: > 0 } sorted ? sorted[Math.Min(sorted.Count - 1, sorted.Count * percent / 100)] : double.NaN;

    static string Describe(List<double> values, string unit = "ms") => string.Create(
        CultureInfo.InvariantCulture, $"p50 {Percentile(values, 50):0.00} {unit}, p99 {Percentile(values, 99):0.00} {unit}, at most {Percentile(values, 100):0.00} {unit} ({values.Count})");

    /// <summary>Half of each value is noise, so that it can be compressed about as well as what Kubernetes stores.</summary>
    async Task PutAsync(MemberProcess member, string key, int i, CancellationToken cancelled)
    {
        var value = new byte[ValueBytes];
        noise.AsSpan((int)((uint)(i * 7919) % (noise.Length - ValueBytes)), ValueBytes / 2).CopyTo(value);
        BitConverter.TryWriteBytes(value, i);
        await new KV.KVClient(member.Channel).PutAsync(new() { Key = ByteString.CopyFromUtf8(key), Value = UnsafeByteOperations.UnsafeWrap(value) }, cancellationToken: cancelled);
    }
}
