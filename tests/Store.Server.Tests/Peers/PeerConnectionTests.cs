using System.Collections.Immutable;
using Store.Raft;
using Store.State;
using Xunit;
using static Store.Server.Tests.NodeCluster;

namespace Store.Server.Tests;

public sealed class PeerConnectionTests
{
    [Fact]
    public async Task A_member_behind_a_cut_wire_catches_up_when_it_is_mended()
    {
        // Members 0 to 2; the others reach member 2 by the wire at the fourth port.
        await using var cluster = await StartAsync(0, spare: 4);
        await using var wire = new TcpProxy(new Uri(cluster.Url(3)).Port, new Uri(cluster.Url(2)).Port);
        ImmutableArray<InitialMember> members = [new("m0", [cluster.Url(0)]), new("m1", [cluster.Url(1)]), new("m2", [cluster.Url(3)])];
        for (var i = 0; i < 3; i++)
        {
            var options = cluster.Options(i, []) with { InitialCluster = members };
            await cluster.StartAsync(i, i == 2 ? options with { InitialAdvertisePeerUrls = [cluster.Url(3)] } : options);
        }
        await PutAsync(cluster[0], "before", "v");
        await UntilAsync(() => Count(cluster[2]) == 1, "the wire carries");

        for (var round = 1; round <= 2; round++)
        {
            wire.Cut();
            for (var i = 0; i < 10; i++) Assert.Equal(StoreError.None, (await PutAsync(cluster[0], $"{round}/{i}", "v")).Error);
            Assert.Equal(10 * round + 1, Count(cluster[0]));
            Assert.True(Count(cluster[2]) < Count(cluster[0]));
            wire.Mend();
            await UntilAsync(() => Count(cluster[2]) == 10 * round + 1, "the member has caught up");
        }
        Assert.Equal(StoreError.None, await cluster[2].Loop.ReadIndexAsync(Cancellation));
    }

    [Fact]
    public async Task A_new_member_joins_after_the_log_was_cut()
    {
        await using var cluster = await StartAsync(1, spare: 1);
        for (var i = 0; i < 1_500; i += 50) await Task.WhenAll(Enumerable.Range(i, 50).Select(n => PutAsync(cluster[0], $"k{n}", "v")));
        await StoreNodeTests.CutLogAsync(cluster[0]);
        var id = MemberIds.Member([cluster.Url(1)], "added later");
        var added = await StoreNodeTests.Change(cluster[0], ConfigChangeKind.AddLearner, new() { ID = id.Value, IsLearner = true, PeerURLs = { cluster.Url(1) } });
        Assert.Equal(StoreError.None, added.Error);
        await cluster.StartAsync(1, cluster.Options(1, [0, 1]) with { InitialClusterState = InitialClusterState.Existing });
        await UntilAsync(() => Count(cluster[1]) == 1_500, "the state has arrived");
        Assert.True(cluster[1].Loop.Status.FirstIndex > new LogIndex(1_000));
        await cluster.StopAsync(1);
        await cluster.StartAsync(1);
        Assert.Equal(1_500, Count(cluster[1]));
        await PutAsync(cluster[0], "after", "v");
        await UntilAsync(() => Count(cluster[1]) == 1_501, "the log goes on behind the snapshot");
    }
}
