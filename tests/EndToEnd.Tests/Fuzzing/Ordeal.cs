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
    static readonly TimeSpan settleTimeMax = TimeSpan.FromSeconds(30);

    /// <returns>How many requests of the well-behaved client were answered meanwhile, and by how much the member grew.</returns>
    public async Task<(int Served, long GrownBytes)> RunAsync(Func<Task> inflict, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var witness = ServeAsync(stop.Token);
        await inflict();
        await SettleAsync(() => true, cancellationToken);
        var (bytes, descriptors) = (member.ResidentBytes(), Descriptors());
        await inflict();
        await SettleAsync(() => Descriptors() <= descriptors + DescriptorsSpare && member.ResidentBytes() <= bytes + GrowthBytesMax, cancellationToken);
        await stop.CancelAsync();
        var served = await witness;

        Assert.True(member.IsRunning, member.LogTail());
        Assert.True(served > 0, "Nobody else was served.");
        Assert.True(Descriptors() <= descriptors + DescriptorsSpare, $"{descriptors} open files became {Descriptors()}.");
        Assert.True(member.ResidentBytes() <= bytes + GrowthBytesMax, $"{bytes >> 20} MiB became {member.ResidentBytes() >> 20} MiB.");
        var failures = member.Log().Split('\n').Where(line => line.Contains("the member cannot go on", StringComparison.Ordinal) || line.Contains("a request failed unexpectedly", StringComparison.Ordinal));
        Assert.True(!failures.Any(), failures.FirstOrDefault());
        return (served, member.ResidentBytes() - bytes);
    }

    /// <summary>Any failure of its requests, also by being slow, fails the test.</summary>
    async Task<int> ServeAsync(CancellationToken stop)
    {
        using var channel = member.NewChannel();
        var kv = new KV.KVClient(channel);
        var served = 0;
        while (!stop.IsCancellationRequested)
        {
            await kv.PutAsync(new PutRequest { Key = ByteString.CopyFromUtf8("witness") }, deadline: DateTime.UtcNow.AddSeconds(5), cancellationToken: CancellationToken.None);
            await kv.RangeAsync(new RangeRequest { Key = ByteString.CopyFromUtf8("witness") }, deadline: DateTime.UtcNow.AddSeconds(5), cancellationToken: CancellationToken.None);
            served += 2;
        }

        return served;
    }

    /// <summary>Connections end a little after they were closed, and memory is given back by later collections.</summary>
    static async Task SettleAsync(Func<bool> settled, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        do await Task.Delay(500, cancellationToken);
        while (!settled() && Stopwatch.GetElapsedTime(started) < settleTimeMax);
    }

    int Descriptors() => Directory.GetFileSystemEntries($"/proc/{member.ProcessId}/fd").Length;
}
