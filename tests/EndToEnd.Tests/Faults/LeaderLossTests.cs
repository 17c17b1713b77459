using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Without a quorum: clients that ask for a leader (metadata "hasleader") are told so and can turn elsewhere; too many that wait are refused.</summary>
public sealed class LeaderLossTests(ITestOutputHelper output)
{
    const long Mebibyte = 1024 * 1024;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Who_asks_for_a_leader_is_told_when_it_is_lost()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, cancellationToken);
        var member = cluster[0];
        var lease = new Lease.LeaseClient(member.Channel);
        await lease.LeaseGrantAsync(new LeaseGrantRequest { ID = 7, TTL = 1000 }, cancellationToken: cancellationToken);
        using var watch = new Watch.WatchClient(member.Channel).Watch(HasLeader, cancellationToken: cancellationToken);
        using var careless = new Watch.WatchClient(member.Channel).Watch(cancellationToken: cancellationToken);
        foreach (var call in new[] { watch, careless })
        {
            await call.RequestStream.WriteAsync(new WatchRequest { CreateRequest = new WatchCreateRequest { Key = ByteString.CopyFromUtf8("a") } }, cancellationToken);
            Assert.True(await call.ResponseStream.MoveNext(cancellationToken));
        }
        using var keepAlive = lease.LeaseKeepAlive(HasLeader, cancellationToken: cancellationToken);
        await keepAlive.RequestStream.WriteAsync(new LeaseKeepAliveRequest { ID = 7 }, cancellationToken);
        Assert.True(await keepAlive.ResponseStream.MoveNext(cancellationToken));

        cluster[1].Kill();
        cluster[2].Kill();
        var carelessNext = careless.ResponseStream.MoveNext(cancellationToken);
        Assert.Equal("Unavailable: etcdserver: no leader", await EndOfAsync(watch.ResponseStream.MoveNext(cancellationToken)));
        Assert.Equal("Unavailable: etcdserver: no leader", await EndOfAsync(keepAlive.ResponseStream.MoveNext(cancellationToken)));
        Assert.False(carelessNext.IsCompleted);

        // The member knows by now that there is none: nobody waits.
        var range = new RangeRequest { Key = ByteString.CopyFromUtf8("a"), Serializable = true };
        var kv = new KV.KVClient(member.Channel);
        Assert.Equal("Unavailable: etcdserver: no leader", await EndOfAsync(kv.RangeAsync(range, HasLeader, cancellationToken: cancellationToken).ResponseAsync));
        await kv.RangeAsync(range, cancellationToken: cancellationToken);
        using var late = new Watch.WatchClient(member.Channel).Watch(HasLeader, cancellationToken: cancellationToken);
        Assert.Equal("Unavailable: etcdserver: no leader", await EndOfAsync(late.ResponseStream.MoveNext(cancellationToken)));
    }

    [Fact]
    public async Task More_requests_than_may_wait_are_refused_at_once()
    {
        const int Requests = 25_000;
        const long GrowthMax = 256 * Mebibyte;
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, cancellationToken, null, ["--election-timeout=20000", .. LoopbackCluster.Warm(Product.Store)]);
        var leader = await cluster.LeaderAsync(cancellationToken);
        // It leads for another twenty seconds, but nothing is committed.
        foreach (var member in cluster.Members.Where(member => member != leader))
            member.Pause();
        var before = leader.ResidentBytes();
        List<Task<string>> puts;
        try
        {
            var kv = new KV.KVClient(leader.Channel);
            var deadline = DateTime.UtcNow + Patience;
            puts = [.. Enumerable.Range(0, Requests).Select(n => EndOfAsync(kv.PutAsync(new PutRequest { Key = ByteString.CopyFromUtf8($"k{n}") }, deadline: deadline, cancellationToken: cancellationToken).ResponseAsync))];
            Assert.Equal("ResourceExhausted: etcdserver: too many requests", await await Task.WhenAny(puts));
        }
        finally
        {
            foreach (var member in cluster.Members.Where(member => member != leader))
                member.Resume();
        }

        var ends = (await Task.WhenAll(puts)).CountBy(end => end.StartsWith("answered", StringComparison.Ordinal) ? "answered" : end).ToDictionary();
        var growth = leader.ResidentBytes() - before;
        output.WriteLine($"{Requests} puts without a quorum: {string.Join(", ", ends.Select(end => $"{end.Value} {end.Key}"))}; {growth / Mebibyte} MiB more");
        Assert.True(growth < GrowthMax, $"{Requests} requests that wait cost {growth / Mebibyte} MiB.");
        // And it goes on as if nothing had been.
        await cluster.WaitUntilReadyAsync(cancellationToken);
        await new KV.KVClient(leader.Channel).PutAsync(new PutRequest { Key = ByteString.CopyFromUtf8("after") }, deadline: DateTime.UtcNow + Patience, cancellationToken: cancellationToken);
    }

    static Metadata HasLeader => new() { { "hasleader", "true" } };

    static async Task<string> EndOfAsync<T>(Task<T> call)
    {
        try
        {
            return $"answered: {await call.WaitAsync(Patience)}";
        }
        catch (RpcException e)
        {
            return $"{e.StatusCode}: {e.Status.Detail}";
        }
    }
}
