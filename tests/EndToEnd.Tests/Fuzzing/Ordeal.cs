using System.Diagnostics;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// A member under hostile input, while somebody well-behaved writes and reads all the time. The same input comes twice: the first time fills pools and
/// compiles code, what the second one adds is growth.
/// </summary>
sealed class Ordeal(MemberProcess member)
{
    const long GrowthBytesMax = 64 << 20;
    const int DescriptorsSpare = 16;
    static readonly TimeSpan SettleTimeMax = TimeSpan.FromSeconds(30);

    /// <summary>FUZZ_CASES: how many of each kind.</summary>
    public static int Cases { get; } = Setting("FUZZ_CASES", 2_000);

    /// <summary>FUZZ_SEED: which.</summary>
    static int Seed { get; } = Setting("FUZZ_SEED", 1);

    /// <summary>Of a cluster that is one member, started for this.</summary>
    /// <param name="certificates">For TLS everywhere; null is in clear.</param>
    public static async Task OfOneMemberAsync(
        Func<MemberProcess, Random, Task> inflict, ClusterCertificates? certificates, ITestOutputHelper output, CancellationToken cancellationToken)
    {
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, certificates, cancellationToken, LoopbackCluster.Warm(Product.Store));
        try
        {
            var (served, slowest, grown) = await new Ordeal(cluster[0]).RunAsync(() => inflict(cluster[0], new Random(Seed)), cancellationToken);
            output.WriteLine($"{served} requests of another client served meanwhile, the slowest in {slowest.TotalMilliseconds:F0} ms, {grown >> 20} MiB grown");
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw new InvalidOperationException($"FUZZ_SEED={Seed}: {exception.Message}\n{cluster.Logs()}", exception);
        }
    }

    static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : otherwise;

    /// <returns>How many requests of the well-behaved client were answered meanwhile, the longest that one took, and by how much the member grew.</returns>
    public async Task<(int Served, TimeSpan Slowest, long GrownBytes)> RunAsync(Func<Task> inflict, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var witness = ServeAsync(stop.Token);
        await inflict();
        await SettleAsync(() => true, cancellationToken);
        var (bytes, descriptors) = (member.ResidentBytes(), Descriptors());
        await inflict();
        await SettleAsync(() => Descriptors() <= descriptors + DescriptorsSpare && member.ResidentBytes() <= bytes + GrowthBytesMax, cancellationToken);
        await stop.CancelAsync();
        var (served, slowest) = await witness;

        Assert.True(member.IsRunning, member.LogTail());
        Assert.True(served > 0, "Nobody else was served.");
        Assert.True(Descriptors() <= descriptors + DescriptorsSpare, $"{descriptors} open files became {Descriptors()}.");
        Assert.True(member.ResidentBytes() <= bytes + GrowthBytesMax, $"{bytes >> 20} MiB became {member.ResidentBytes() >> 20} MiB.");
        var failures = member.Log().Split('\n').Where(line => line.Contains("the member cannot go on", StringComparison.Ordinal) || line.Contains("a request failed unexpectedly", StringComparison.Ordinal));
        Assert.True(!failures.Any(), failures.FirstOrDefault());
        return (served, slowest, member.ResidentBytes() - bytes);
    }

    /// <summary>Any failure of its requests, also by being slow, fails the test.</summary>
    async Task<(int Served, TimeSpan Slowest)> ServeAsync(CancellationToken stop)
    {
        using var channel = member.NewChannel();
        var kv = new KV.KVClient(channel);
        var served = 0;
        var slowest = TimeSpan.Zero;
        while (!stop.IsCancellationRequested)
        {
            await TimedAsync(kv.PutAsync(new PutRequest { Key = ByteString.CopyFromUtf8("witness") }, deadline: DateTime.UtcNow.AddSeconds(5), cancellationToken: CancellationToken.None).ResponseAsync);
            await TimedAsync(kv.RangeAsync(new RangeRequest { Key = ByteString.CopyFromUtf8("witness") }, deadline: DateTime.UtcNow.AddSeconds(5), cancellationToken: CancellationToken.None).ResponseAsync);
            served += 2;
        }

        return (served, slowest);

        async Task TimedAsync(Task request)
        {
            var started = Stopwatch.GetTimestamp();
            await request;
            if (Stopwatch.GetElapsedTime(started) is var took && took > slowest) slowest = took;
        }
    }

    /// <summary>Connections end a little after they were closed, and memory is given back by later collections.</summary>
    static async Task SettleAsync(Func<bool> settled, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        do await Task.Delay(500, cancellationToken);
        while (!settled() && Stopwatch.GetElapsedTime(started) < SettleTimeMax);
    }

    int Descriptors() => Directory.GetFileSystemEntries($"/proc/{member.ProcessId}/fd").Length;
}
