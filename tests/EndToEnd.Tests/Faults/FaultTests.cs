using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Three members under load while members are killed and stopped at random. What was acknowledged must be there afterwards, exactly once and at the
/// revision that was promised; what was not may or may not be. FAULT_SECONDS sets how long (120), FAULT_SEED repeats a schedule.
/// </summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    const int Writers = 8;

    static readonly TimeSpan Length = TimeSpan.FromSeconds(Setting("FAULT_SECONDS", 120));
    static readonly int Seed = Setting("FAULT_SEED", Environment.TickCount);

    [Fact]
    public Task Nothing_acknowledged_is_lost_when_members_are_killed_and_stopped() => TormentAsync(Product.Store, Length);

    /// <summary>The test itself, tried on what is known to hold.</summary>
    [Fact]
    public Task Etcd_loses_nothing_either() => TormentAsync(Product.Etcd, TimeSpan.FromSeconds(Math.Min(10, Length.TotalSeconds)));

    async Task TormentAsync(Product product, TimeSpan length)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(product, 3, cancellationToken, flags: LoopbackCluster.Warm(product));
        var acknowledged = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            var writers = Enumerable.Range(0, Writers).Select(n => Task.Run(() => WriteAsync(cluster, n, acknowledged, stop.Token), cancellationToken)).ToArray();
            var faults = await BreakAsync(cluster, length, cancellationToken);
            await stop.CancelAsync();
            await Task.WhenAll(writers);
            output.WriteLine($"{product}: {acknowledged.Count} writes acknowledged, {faults} faults in {length.TotalSeconds} s, FAULT_SEED={Seed}");
        }
        try
        {
            await cluster.WaitUntilReadyAsync(cancellationToken);
            Assert.True(acknowledged.Count > length.TotalSeconds * 20, $"Only {acknowledged.Count} writes were acknowledged.");
            foreach (var member in cluster.Members)
                await HasAllAsync(member, acknowledged, cancellationToken);
            await AgreeAsync(cluster, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Assert.Fail($"FAULT_SEED={Seed}: {e.Message}\n{cluster.Logs()}");
        }
    }

    /// <summary>Every key is written once, so that whatever is found tells which write it was.</summary>
    static async Task WriteAsync(LoopbackCluster cluster, int writer, ConcurrentDictionary<string, long> acknowledged, CancellationToken cancellationToken)
    {
        var random = new Random(Seed + writer);
        for (var n = 0; !cancellationToken.IsCancellationRequested; n++)
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"w/{writer}/{n:D7}");
            var kv = new KV.KVClient(cluster[random.Next(cluster.Members.Count)].Channel);
            try
            {
                var request = new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(key) };
                var response = await kv.PutAsync(request, deadline: DateTime.UtcNow.AddSeconds(2), cancellationToken: CancellationToken.None);
                acknowledged[key] = response.Header.Revision;
            }
            catch (RpcException)
            {
                // Not acknowledged: it may have happened or not. A little patience with a member that is down.
                await Task.Delay(10, CancellationToken.None);
            }
        }
    }

    static async Task<int> BreakAsync(LoopbackCluster cluster, TimeSpan length, CancellationToken cancellationToken)
    {
        var random = new Random(Seed);
        var started = Stopwatch.GetTimestamp();
        var faults = 0;
        while (Stopwatch.GetElapsedTime(started) < length)
        {
            await Task.Delay(random.Next(300, 2000), cancellationToken);
            // Mostly one of three, so that the others must go on; sometimes two or all, so that everything must come back.
            var victims = cluster.Members.OrderBy(_ => random.Next()).Take(random.Next(10) switch { < 8 => 1, 8 => 2, _ => 3 }).ToArray();
            var kill = random.Next(2) == 0;
            var duration = TimeSpan.FromMilliseconds(random.Next(100, 3000));
            foreach (var victim in victims)
            {
                if (kill)
                    victim.Kill();
                else
                    victim.Pause();
            }
            await Task.Delay(duration, cancellationToken);
            foreach (var victim in victims)
            {
                if (kill)
                    victim.Start();
                else
                    victim.Resume();
            }
            faults += victims.Length;
        }
        return faults;
    }

    static async Task HasAllAsync(MemberProcess member, ConcurrentDictionary<string, long> acknowledged, CancellationToken cancellationToken)
    {
        var all = new RangeRequest { Key = ByteString.CopyFromUtf8("w/"), RangeEnd = ByteString.CopyFromUtf8("w0") };
        var found = (await new KV.KVClient(member.Channel).RangeAsync(all, deadline: DateTime.UtcNow.AddSeconds(30), cancellationToken: cancellationToken))
            .Kvs.ToDictionary(kv => kv.Key.ToStringUtf8(), StringComparer.Ordinal);
        foreach (var (key, revision) in acknowledged)
        {
            Assert.True(found.TryGetValue(key, out var kv), $"{member.Name} lost {key}, acknowledged at revision {revision}.");
            Assert.True(kv.ModRevision == revision && kv.Version == 1, $"{member.Name} has {key} as {kv}, acknowledged at revision {revision}.");
            Assert.Equal(key, kv.Value.ToStringUtf8());
        }
    }

    static async Task AgreeAsync(LoopbackCluster cluster, CancellationToken cancellationToken)
    {
        var revision = (await cluster[0].StatusAsync(cancellationToken)).Header.Revision;
        var hashes = new List<(uint Hash, long Compacted)>();
        foreach (var member in cluster.Members)
        {
            // A linearizable read first: then the member has the revision.
            await new KV.KVClient(member.Channel).RangeAsync(new RangeRequest { Key = ByteString.CopyFromUtf8("w") }, cancellationToken: cancellationToken);
            var answer = await new Maintenance.MaintenanceClient(member.Channel).HashKVAsync(new HashKVRequest { Revision = revision }, cancellationToken: cancellationToken);
            hashes.Add((answer.Hash, answer.CompactRevision));
        }
        Assert.True(hashes.Distinct().Count() == 1, $"The members differ at revision {revision}: {string.Join(", ", hashes)}");
    }

    static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
