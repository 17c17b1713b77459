using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>--force-new-cluster: a quorum is lost for good, one member is left.</summary>
public sealed class ForceNewClusterTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_last_member_goes_on_alone_with_all_keys_and_ids_and_the_others_are_kept_out()
    {
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, Token);
        var (left, lost) = (cluster[0], cluster[1]);
        for (var i = 0; i < 50; i++) await PutAsync(cluster[2], $"key-{i}", $"{i}");
        var before = await ListAsync(left);
        var leader = await cluster.LeaderAsync(Token);
        foreach (var member in cluster.Members.OrderBy(member => member == leader)) member.Kill();

        left.Start("--force-new-cluster");
        await left.WaitUntilReadyAsync(Token);
        var after = await ListAsync(left);
        Assert.Equal([left.Name], after.Members.Select(member => member.Name));
        Assert.Equal((before.Header.ClusterId, before.Members.Single(member => member.Name == left.Name).ID), (after.Header.ClusterId, after.Members[0].ID));
        Assert.Equal(50, (await new KV.KVClient(left.Channel).RangeAsync(new() { Key = Text("key-"), RangeEnd = Text("key."), CountOnly = true }, cancellationToken: Token)).Count);
        await PutAsync(left, "after", "x");

        // One of the old members comes back: it is told that it was removed, and ends.
        lost.Start();
        await lost.WaitForExitAsync(TimeSpan.FromSeconds(30));
        Assert.NotEqual(0, lost.ExitCode);
        Assert.Contains("permanently removed", lost.LogTail(), StringComparison.Ordinal);

        // Without the flag it stays what it has become, and grows again.
        await left.StopAsync();
        left.Start();
        await left.WaitUntilReadyAsync(Token);
        var (clientPort, peerPort) = (Ports.Take(), Ports.Take());
        await new Cluster.ClusterClient(left.Channel).MemberAddAsync(new() { PeerURLs = { $"http://127.0.0.1:{peerPort}" } }, cancellationToken: Token);
        await using var joined = Joining(cluster, left, clientPort, peerPort);
        joined.Start();
        await joined.WaitUntilReadyAsync(Token);
        Assert.Equal(2, (await ListAsync(joined)).Members.Count);
        Assert.Equal(1, (await new KV.KVClient(joined.Channel).RangeAsync(new() { Key = Text("after") }, cancellationToken: Token)).Count);
    }

    static MemberProcess Joining(LoopbackCluster cluster, MemberProcess seed, int clientPort, int peerPort)
    {
        var folder = Path.Combine(cluster.Folder, "joined");
        return new(Product.Store, "joined", folder, clientPort, peerPort,
        [
            "--name=joined", $"--data-dir={Path.Combine(folder, "data")}", $"--listen-client-urls=http://127.0.0.1:{clientPort}", $"--advertise-client-urls=http://127.0.0.1:{clientPort}",
            $"--listen-peer-urls=http://127.0.0.1:{peerPort}", $"--initial-advertise-peer-urls=http://127.0.0.1:{peerPort}",
            $"--initial-cluster={seed.Name}={seed.PeerUrl},joined=http://127.0.0.1:{peerPort}", "--initial-cluster-state=existing", $"--initial-cluster-token={cluster.Token}", "--warmup-duration=0s",
        ]);
    }

    static async Task<MemberListResponse> ListAsync(MemberProcess member) => await new Cluster.ClusterClient(member.Channel).MemberListAsync(new() { Linearizable = true }, cancellationToken: Token);

    static async Task PutAsync(MemberProcess member, string key, string value) =>
        await new KV.KVClient(member.Channel).PutAsync(new() { Key = Text(key), Value = Text(value) }, cancellationToken: Token);

    static ByteString Text(string text) => ByteString.CopyFromUtf8(text);
}
