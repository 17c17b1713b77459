using Microsoft.Extensions.Logging.Abstractions;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;
using Xunit;
using static Store.Server.Tests.NodeCluster;

namespace Store.Server.Tests;

public sealed class StoreNodeTests
{
    [Fact]
    public async Task A_single_member_boots_writes_and_reads()
    {
        await using var cluster = await StartAsync(1);
        var reply = await PutAsync(cluster[0], "k", "v");
        Assert.Equal(StoreError.None, reply.Error);
        Assert.Equal(2, ((PutResponse)reply.Result!.Response!).Header.Revision);
        Assert.Equal(StoreError.None, await cluster[0].Loop.ReadIndexAsync(Cancellation));
        Assert.Equal(1, Count(cluster[0]));
    }

    [Fact]
    public async Task A_restarted_member_has_everything_that_was_acknowledged()
    {
        await using var cluster = await StartAsync(1);
        for (var i = 0; i < 100; i++) await PutAsync(cluster[0], $"k{i}", "v");
        await cluster.StopAsync(0);
        await cluster.StartAsync(0);
        Assert.Equal(StoreError.None, await cluster[0].Loop.ReadIndexAsync(Cancellation));
        Assert.Equal(100, Count(cluster[0]));
    }

    [Fact]
    public async Task Every_member_of_three_takes_writes_and_all_agree()
    {
        await using var cluster = await StartAsync(3);
        await cluster.LeaderAsync();
        await Task.WhenAll(Enumerable.Range(0, 90).Select(i => PutAsync(cluster[i % 3], $"k{i}", "v")));
        foreach (var node in cluster.Running)
        {
            Assert.Equal(StoreError.None, await node.Loop.ReadIndexAsync(Cancellation));
            Assert.Equal(90, Count(node));
        }
        var hashes = cluster.Running.Select(node => node.Loop.View.HashKv(new(91)).Hash).Distinct();
        Assert.Single(hashes);
    }

    [Fact]
    public async Task Members_tell_their_names_and_the_cluster_version_follows()
    {
        await using var cluster = await StartAsync(3);
        await UntilAsync(() => cluster[0].Loop.View.Cluster.Version == "3.7.0", "the cluster version is agreed");
        Assert.All(cluster[0].Loop.View.Cluster.Members.Values, member => Assert.Single(member.ClientUrls));
    }

    [Fact]
    public async Task Two_members_go_on_without_the_leader_and_it_catches_up_when_it_returns()
    {
        await using var cluster = await StartAsync(3);
        var (leader, follower) = await cluster.RolesAsync();
        await PutAsync(cluster[follower], "before", "v");
        await cluster.StopAsync(leader);
        for (var i = 0; i < 20; i++) Assert.Equal(StoreError.None, (await PutAsync(cluster[follower], $"k{i}", "v")).Error);
        await cluster.StartAsync(leader);
        await UntilAsync(() => Count(cluster[leader]) == 21, "the old leader has caught up");
    }

    [Fact]
    public async Task A_follower_that_was_away_for_too_long_gets_a_snapshot()
    {
        await using var cluster = await StartAsync(3);
        var (leader, follower) = await cluster.RolesAsync();
        await cluster.StopAsync(follower);
        for (var i = 0; i < 1_500; i += 50) await Task.WhenAll(Enumerable.Range(i, 50).Select(n => PutAsync(cluster[leader], $"k{n}", "v")));
        await CutLogAsync(cluster[leader]);
        await cluster.StartAsync(follower);
        await UntilAsync(() => Count(cluster[follower]) == 1_500, "the state has arrived");
        await PutAsync(cluster[leader], "after", "v");
        await UntilAsync(() => Count(cluster[follower]) == 1_501, "the log goes on behind the snapshot");
        await cluster.StopAsync(follower);
        await cluster.StartAsync(follower);
        await UntilAsync(() => Count(cluster[follower]) == 1_501, "and it survives a restart");
    }

    [Fact]
    public async Task A_learner_joins_catches_up_and_is_promoted()
    {
        await using var cluster = await StartAsync(1, spare: 1);
        for (var i = 0; i < 10; i++) await PutAsync(cluster[0], $"k{i}", "v");
        var id = MemberIds.Member([cluster.Url(1)], "added later");
        var member = new Member { ID = id.Value, IsLearner = true, PeerURLs = { cluster.Url(1) } };
        Assert.Equal(StoreError.None, (await Change(cluster[0], ConfigChangeKind.AddLearner, member)).Error);
        Assert.Equal(StoreError.TooManyLearners, (await Change(cluster[0], ConfigChangeKind.AddLearner, new() { ID = 7, PeerURLs = { "http://127.0.0.1:1" } })).Error);

        await cluster.StartAsync(1, cluster.Options(1, [0, 1]) with { InitialClusterState = InitialClusterState.Existing });
        Assert.Equal(id, cluster[1].Identity.MemberId);
        await UntilAsync(() => Count(cluster[1]) == 10, "the learner has the state");
        Reply promoted = default;
        // Asked at the learner: the question goes to the leader.
        for (var attempt = 0; attempt < 50 && (attempt == 0 || promoted.Error == StoreError.LearnerNotReady); attempt++)
            promoted = await Change(cluster[1], ConfigChangeKind.Promote, new() { ID = id.Value });
        Assert.Equal(StoreError.None, promoted.Error);
        await UntilAsync(() => cluster[1].Loop.Status.Config.Voters.Count == 2, "both vote");
    }

    [Fact]
    public async Task A_removed_member_ends_and_says_so()
    {
        await using var cluster = await StartAsync(3);
        var (leader, follower) = await cluster.RolesAsync();
        await UntilAsync(() => cluster[leader].Loop.View.Cluster.Members.Values.All(member => member.Version.Length > 0), "all have started");
        Assert.Equal(StoreError.None, (await RemoveAsync(cluster[leader], cluster[follower])).Error);
        var end = await cluster[follower].Ended.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        Assert.Equal(1, end.ExitCode);
        Assert.StartsWith("the member has been permanently removed from the cluster", end.Message, StringComparison.Ordinal);
        await cluster.StopAsync(follower);
        await Assert.ThrowsAsync<BootException>(() => cluster.StartAsync(follower));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_leader_is_removed_after_it_has_handed_over(bool askedItself)
    {
        await using var cluster = await StartAsync(2);
        var (leader, other) = await cluster.RolesAsync();
        await UntilAsync(() => cluster[leader].Loop.View.Cluster.Members.Values.All(member => member.Version.Length > 0), "all have started");
        var removed = await RemoveAsync(cluster[askedItself ? leader : other], cluster[leader]);
        // Who is removed may be gone before it can answer.
        Assert.True(removed.Error is StoreError.None or StoreError.Stopped || askedItself);
        Assert.Equal(1, (await cluster[leader].Ended.WaitAsync(TimeSpan.FromSeconds(30), Cancellation)).ExitCode);
        await cluster.StopAsync(leader);
        Assert.Equal(StoreError.None, (await PutAsync(cluster[other], "k", "v")).Error);
        Assert.Single(cluster[other].Loop.Status.Config.Voters);
    }

    [Fact]
    public async Task A_lease_is_renewed_from_a_follower_and_revoked_when_it_runs_out()
    {
        await using var cluster = await StartAsync(3);
        var (_, follower) = await cluster.RolesAsync();
        var node = cluster[follower];
        var granted = await node.Loop.ProposeAsync(new() { LeaseGrant = new() { TTL = 1 } }, Cancellation);
        var lease = new LeaseId(((LeaseGrantResponse)granted.Result!.Response!).ID);
        var renewal = await node.Loop.RenewLeaseAsync(lease, Cancellation);
        Assert.Equal((StoreError.None, 1), (renewal.Error, renewal.TtlSeconds));
        Assert.Equal(1, (await node.Loop.LeaseTimeToLiveAsync(lease, Cancellation)).GrantedSeconds);
        Assert.Equal(StoreError.LeaseNotFound, (await node.Loop.RenewLeaseAsync(new(4711), Cancellation)).Error);

        var put = new PutRequest { Key = Google.Protobuf.ByteString.CopyFromUtf8("leased"), Lease = lease.Value };
        await node.Loop.ProposeAsync(new() { Put = put }, Cancellation);
        Assert.Equal(1, Count(node));
        await UntilAsync(() => Count(node) == 0, "the lease has run out and took its key along");
    }

    [Fact]
    public async Task Leadership_is_handed_over()
    {
        await using var cluster = await StartAsync(3);
        var (leader, follower) = await cluster.RolesAsync();
        await PutAsync(cluster[leader], "k", "v");
        var target = cluster[follower].Identity.MemberId;
        Assert.Equal(StoreError.NotLeader, await cluster[follower].Loop.TransferLeadershipAsync(target, Cancellation));
        Assert.Equal(StoreError.BadLeaderTransferee, await cluster[leader].Loop.TransferLeadershipAsync(new(99), Cancellation));
        Assert.Equal(StoreError.None, await cluster[leader].Loop.TransferLeadershipAsync(target, Cancellation));
        Assert.Equal(target, cluster[leader].Loop.Status.Leader);
    }

    [Fact]
    public async Task A_member_of_another_cluster_is_refused()
    {
        await using var cluster = await StartAsync(1, spare: 1);
        var stranger = new PeerDialer(clusterId: 1, new(2), [cluster.Url(1)], new(null, from: null, NullLogger.Instance));
        var (stream, answer) = await stranger.DialAsync(cluster.Url(0), cluster[0].Identity.MemberId, PeerChannel.Messages, Cancellation);
        Assert.Null(stream);
        Assert.Equal((PeerRefusal.ClusterIdMismatch, cluster[0].Identity.ClusterId), (answer.Refusal, answer.ClusterId));
    }

    [Fact]
    public async Task Flags_that_contradict_each_other_are_one_clear_line()
    {
        await using var cluster = await StartAsync(0, spare: 2);
        var nameless = await Assert.ThrowsAsync<BootException>(() => cluster.StartAsync(0, cluster.Options(0, [1])));
        Assert.Contains("couldn't find local name \"m0\" in the initial cluster configuration", nameless.Message, StringComparison.Ordinal);
    }

    /// <summary>The words "its disk is empty" are what the operator knows this end by.</summary>
    [Fact]
    public async Task A_member_that_is_to_join_itself_alone_has_lost_its_disk()
    {
        await using var cluster = await StartAsync(0, spare: 1);
        var lost = await Assert.ThrowsAsync<BootException>(() => cluster.StartAsync(0, cluster.Options(0, [0]) with { InitialClusterState = InitialClusterState.Existing }));
        Assert.Contains("its disk is empty", lost.Message, StringComparison.Ordinal);
        Assert.Contains("etcdctl member remove", lost.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', lost.Message);
    }

    /// <summary>On a busy machine a member may look unhealthy for a moment.</summary>
    static async Task<Reply> RemoveAsync(StoreNode asked, StoreNode leaver)
    {
        Reply removed = default;
        for (var attempt = 0; attempt < 20; attempt++)
        {
            removed = await Change(asked, ConfigChangeKind.Remove, new() { ID = leaver.Identity.MemberId.Value });
            if (removed.Error is not (StoreError.UnhealthyCluster or StoreError.NoLeader)) break;
            await Task.Delay(100, Cancellation);
        }
        return removed;
    }

    internal static Task<Reply> Change(StoreNode node, ConfigChangeKind kind, Member member) =>
        node.Loop.ChangeMembershipAsync(kind, new MemberChange { Member = member }, Cancellation);

    /// <summary>As if the engine had been flushed: the log forgets what nobody but a lagging follower wants.</summary>
    internal static async Task CutLogAsync(StoreNode node)
    {
        await node.Loop.AskAsync(replica =>
        {
            replica.EngineFlushed(replica.State.Applied);
            return true;
        });
        await PutAsync(node, "k0", "v");
        await UntilAsync(() => node.Loop.Status.FirstIndex > new LogIndex(1_000), "the log was cut");
    }
}
