using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>What watchers cost a member that serves them.</summary>
public sealed class WatchMemoryTests(ITestOutputHelper output)
{
    const long Mebibyte = 1024 * 1024;

    [Fact]
    public async Task Ten_thousand_idle_watchers_cost_less_than_20_MiB()
    {
        const int Streams = 10;
        const int WatchersOnOne = 1000;
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken, flags: LoopbackCluster.Warm(Product.Store));
        // What any first watchers and writes cost (code, pools) is not the watchers'.
        using (await OpenAsync(cluster[0], 200))
            await PutAsync(cluster[0], "idle", 200, valueBytes: 100);
        var before = cluster[0].ResidentBytes();
        var streams = new List<AsyncDuplexStreamingCall<WatchRequest, WatchResponse>>();
        for (var n = 0; n < Streams; n++)
            streams.Add(await OpenAsync(cluster[0], WatchersOnOne));
        var cost = cluster[0].ResidentBytes() - before;
        streams.ForEach(stream => stream.Dispose());
        output.WriteLine($"{Streams * WatchersOnOne} idle watchers: {cost / Mebibyte} MiB");
        Assert.True(cost < 20 * Mebibyte, $"10,000 idle watchers cost {cost / Mebibyte} MiB.");
    }

    [Fact]
    public async Task A_watch_client_that_does_not_read_costs_no_memory_and_misses_nothing()
    {
        const int Puts = 3000;
        const int ValueBytes = 50_000;
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken, flags: LoopbackCluster.Warm(Product.Store));
        var before = await GrowthOfAsync(cluster[0], "unwatched", Puts, ValueBytes);
        using var watch = await OpenAsync(cluster[0], 1, "slow");
        var with = await GrowthOfAsync(cluster[0], "slow", Puts, ValueBytes);
        output.WriteLine($"150 MB written: resident {before / Mebibyte} MiB unwatched, then {with / Mebibyte} MiB with a silent watcher");
        Assert.True(with < before + (64 * Mebibyte), $"A silent watcher let the member grow from {before / Mebibyte} to {with / Mebibyte} MiB.");

        var next = 0;
        while (next < Puts && await watch.ResponseStream.MoveNext(cancellationToken))
        {
            foreach (var change in watch.ResponseStream.Current.Events)
                Assert.Equal(next++, BitConverter.ToInt32(change.Kv.Value.Span));
        }
        Assert.Equal(Puts, next);
    }

    static async Task<long> GrowthOfAsync(MemberProcess member, string key, int puts, int valueBytes)
    {
        await PutAsync(member, key, puts, valueBytes);
        return member.ResidentBytes();
    }

    static async Task PutAsync(MemberProcess member, string key, int puts, int valueBytes)
    {
        var kv = new KV.KVClient(member.Channel);
        var value = new byte[valueBytes];
        for (var n = 0; n < puts; n++)
        {
            BitConverter.TryWriteBytes(value, n);
            await kv.PutAsync(new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFrom(value) });
        }
    }

    /// <summary>A stream on a connection of its own with a small window, with that many watches created on it.</summary>
    static async Task<AsyncDuplexStreamingCall<WatchRequest, WatchResponse>> OpenAsync(MemberProcess member, int watchers, string key = "idle")
    {
        var channel = GrpcChannel.ForAddress(member.ClientUrl, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { InitialHttp2StreamWindowSize = 65_535 },
            DisposeHttpClient = true,
        });
        var call = new Watch.WatchClient(channel).Watch();
        for (var n = 0; n < watchers; n++)
        {
            await call.RequestStream.WriteAsync(new WatchRequest { CreateRequest = new WatchCreateRequest { Key = ByteString.CopyFromUtf8(key) } });
            await call.ResponseStream.MoveNext(CancellationToken.None);
            Assert.True(call.ResponseStream.Current.Created);
        }
        return call;
    }
}
