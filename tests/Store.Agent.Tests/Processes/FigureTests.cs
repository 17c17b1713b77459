using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>
/// How long backups take, how far they lag, and what writers notice. BACKUP_MIB=1024 fills the store with so much before; BACKUP_SECONDS=20 writes for so long with the agent
/// and as long without. The figures are printed; what is asserted holds on a busy machine, too.
/// </summary>
public sealed class FigureTests(ITestOutputHelper output) : IDisposable
{
    const int ValueBytes = 1024, WritesPerSecond = 2000, Writers = 32;

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("agent-figures-");
    readonly byte[] noise = new byte[1 << 20];

    static int Number(string variable, int orElse) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : orElse;

    [Fact]
    public async Task Backups_keep_up_with_two_thousand_writes_a_second()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var (mebibytes, seconds) = (Number("BACKUP_MIB", 16), Number("BACKUP_SECONDS", 6));
        new Random(1).NextBytes(noise);
        var location = folder.CreateSubdirectory("backups").FullName;
        await using (var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled, flags: "--quota-backend-bytes=8589934592"))
        {
            await FillAsync(cluster[0], mebibytes, cancelled);
            var alone = await WriteAsync(cluster[0], seconds, cancelled);
            var started = Stopwatch.GetTimestamp();
            await using var agent = new AgentUnderTest(cluster[0].ClientUrl, location, Path.Combine(folder.FullName, "scratch"), "--delta-interval=2s");
            await agent.WaitAsync("a full backup", status => status.GetProperty("fulls").GetInt32() > 0, cancelled);
            var full = Stopwatch.GetElapsedTime(started);
            using var watching = new CancellationTokenSource();
            var lag = LagAsync(agent, watching.Token);
            var beside = await WriteAsync(cluster[0], seconds, cancelled);
            await watching.CancelAsync();
            var lags = await lag;
            var size = (await agent.StatusAsync(cancelled)).GetProperty("lastFull");
            output.WriteLine($"full backup of {size.GetProperty("bytes").GetInt64() >> 20} MiB, {size.GetProperty("storedBytes").GetInt64() >> 20} stored: {full.TotalSeconds:0.0} s from the agent's start");
            output.WriteLine($"writes alone:      {alone}");
            output.WriteLine($"writes with agent: {beside}");
            output.WriteLine($"recoverable moment behind now: p50 {lags[lags.Count / 2]:0.0} s, max {lags[^1]:0.0} s");
            Assert.True(lags[lags.Count / 2] < 15, $"{lags[lags.Count / 2]} s");
        }

        var restoring = Stopwatch.GetTimestamp();
        await using var restored = LoopbackCluster.Create(Product.Store, 1);
        (await Shell.RunAsync(
            Binaries.Store,
            [
                "snapshot", "restore", "--from", location, "--data-dir", restored[0].DataDirectory, "--name", restored[0].Name, "--initial-cluster", restored.InitialCluster,
                "--initial-cluster-token", restored.Token, "--initial-advertise-peer-urls", restored[0].PeerUrl,
            ], null, TimeSpan.FromMinutes(10), cancellationToken: cancelled)).Succeeded();
        output.WriteLine($"restore: {Stopwatch.GetElapsedTime(restoring).TotalSeconds:0.0} s");
    }

    public void Dispose() => folder.Delete(recursive: true);

    static async Task<List<double>> LagAsync(AgentUnderTest agent, CancellationToken until)
    {
        List<double> lags = [];
        while (true)
        {
            try
            {
                var status = await agent.StatusAsync(until);
                lags.Add((DateTimeOffset.UtcNow - status.GetProperty("recoverableTo").GetDateTimeOffset()).TotalSeconds);
                await Task.Delay(100, until);
            }
            catch (OperationCanceledException)
            {
                lags.Sort();
                return lags;
            }
        }
    }

    Task FillAsync(MemberProcess member, int mebibytes, CancellationToken cancelled) =>
        Parallel.ForAsync(0, mebibytes << 10, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancelled }, async (i, token) =>
            await PutAsync(member, $"/registry/pods/{i:D8}", i, token));

    /// <summary>At a steady rate, each writer in its own slots of time.</summary>
    async Task<string> WriteAsync(MemberProcess member, int seconds, CancellationToken cancelled)
    {
        var (started, count) = (Stopwatch.GetTimestamp(), seconds * WritesPerSecond);
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
        var rate = count / Stopwatch.GetElapsedTime(started).TotalSeconds;
        Array.Sort(latencies);
        return string.Create(CultureInfo.InvariantCulture, $"{rate:0} a second, p50 {latencies[count / 2]:0.00} ms, p99 {latencies[count * 99 / 100]:0.00} ms");
    }

    /// <summary>Half of each value is noise, so that it can be compressed about as well as what Kubernetes stores.</summary>
    async Task PutAsync(MemberProcess member, string key, int i, CancellationToken cancelled)
    {
        var value = new byte[ValueBytes];
        noise.AsSpan((int)((uint)(i * 7919) % (noise.Length - ValueBytes)), ValueBytes / 2).CopyTo(value);
        BitConverter.TryWriteBytes(value, i);
        await new KV.KVClient(member.Channel).PutAsync(new() { Key = ByteString.CopyFromUtf8(key), Value = UnsafeByteOperations.UnsafeWrap(value) }, cancellationToken: cancelled);
    }
}
