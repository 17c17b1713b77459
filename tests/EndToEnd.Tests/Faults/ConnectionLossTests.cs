using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A request on its way from a follower to the leader is lost with their connection, which is back long before anybody thinks of an election.</summary>
public sealed class ConnectionLossTests
{
    static readonly ByteString Key = ByteString.CopyFromUtf8("a");

    [Fact]
    public async Task Who_waits_for_it_hears_that_the_connection_was_lost_and_the_next_request_goes_through()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var links = new Dictionary<MemberProcess, SeverableLink>();
        await using var cluster = LoopbackCluster.Create(Product.Store, 3, folder: null, "--heartbeat-interval=50", "--election-timeout=500");
        try
        {
            foreach (var member in cluster.Members)
            {
                var behind = Ports.Take();
                links[member] = new SeverableLink(member.PeerPort, behind);
                member.Start($"--listen-peer-urls=http://127.0.0.1:{behind}");
            }
            await cluster.WaitUntilReadyAsync(cancellationToken);
            var leader = await cluster.LeaderAsync(cancellationToken);
            var follower = new KV.KVClient(cluster.Members.First(member => member != leader).Channel);

            links[leader].LoseNext();
            var large = new PutRequest { Key = Key, Value = ByteString.CopyFrom(new byte[100_000]) };
            var lost = await Assert.ThrowsAsync<RpcException>(async () => await follower.PutAsync(large, cancellationToken: cancellationToken));
            Assert.True(links[leader].HasLost);
            Assert.Equal((StatusCode.Unavailable, "etcdserver: request timed out, possibly due to connection lost"), (lost.StatusCode, lost.Status.Detail));

            Assert.Empty((await follower.RangeAsync(new RangeRequest { Key = Key }, cancellationToken: cancellationToken)).Kvs);
            await follower.PutAsync(large, cancellationToken: cancellationToken);
            Assert.Single((await follower.RangeAsync(new RangeRequest { Key = Key }, cancellationToken: cancellationToken)).Kvs);
            Assert.Same(leader, await cluster.LeaderAsync(cancellationToken));
        }
        finally
        {
            foreach (var link in links.Values)
                await link.DisposeAsync();
        }
    }
}
