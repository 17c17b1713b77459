using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Raft;
using Xunit;
using static Store.State.Tests.ReplicaTrio;

namespace Store.State.Tests;

public sealed class ReplicaTests
{
    [Fact]
    public void A_proposal_is_answered_once_where_it_was_made_and_applied_everywhere()
    {
        var trio = new ReplicaTrio();
        trio.Follower.Propose(Put(7, "k"));
        trio.Settle();
        trio.Tick();
        Assert.Equal(StoreError.None, trio.ReplyTo(7).Error);
        Assert.IsType<PutResponse>(trio.ReplyTo(7).Result!.Response);
        Assert.All(trio.Ids, id => Assert.Equal(new Revision(2), trio[id].State.View.Revision));
    }

    [Fact]
    public void A_proposal_made_after_the_connection_to_the_leader_broke_goes_to_the_next_leader()
    {
        var trio = new ReplicaTrio();
        var (old, follower) = (trio.Leader, trio.Follower);
        trio.Cut(old);
        follower.ReportUnreachable(old.Status.Id);
        follower.Propose(Put(7, "k"));
        trio.Settle();
        trio.Tick(40);
        Assert.Equal(StoreError.None, trio.ReplyTo(7).Error);
        Assert.Equal(new Revision(2), follower.State.View.Revision);
    }

    [Fact]
    public void A_proposal_made_after_the_connection_to_the_leader_broke_goes_to_it_once_it_is_heard_again()
    {
        var trio = new ReplicaTrio();
        var (leader, follower) = (trio.Leader, trio.Follower);
        follower.ReportUnreachable(leader.Status.Id);
        follower.Propose(Put(7, "k"));
        trio.Tick(3);
        Assert.Equal(StoreError.None, trio.ReplyTo(7).Error);
        Assert.True(leader.IsLeader);
    }

    [Fact]
    public void A_read_waits_for_a_majority_and_for_the_apply()
    {
        var trio = new ReplicaTrio();
        trio.Leader.Propose(Put(7, "k"));
        trio.Settle();
        var follower = trio.Follower;
        follower.Read(1);
        trio.Settle();
        Assert.Equal(StoreError.None, trio.ReadAnswer(1));
        Assert.Equal(new Revision(2), follower.State.View.Revision);
    }

    [Fact]
    public void A_cut_off_leader_confirms_no_read_and_renews_no_lease_for_long()
    {
        var trio = new ReplicaTrio();
        var old = trio.Leader;
        trio.Cut(old);
        old.Read(1);
        trio.Settle();
        Assert.Null(trio.ReadAnswer(1));
        trio.Tick(30);
        Assert.False(old.IsLeader);
        Assert.Equal(StoreError.NotLeader, old.RenewLease(new(1)).Error);
        trio.Tick(60);
        Assert.Equal(StoreError.Timeout, trio.ReadAnswer(1));
    }

    [Fact]
    public void A_waiting_read_goes_on_under_the_next_leader()
    {
        var trio = new ReplicaTrio();
        var old = trio.Leader;
        trio.Cut(old);
        old.Read(1);
        trio.Tick(40);
        var next = trio.Leader;
        next.Propose(Put(7, "k"));
        trio.Settle();
        Assert.Null(trio.ReadAnswer(1));
        trio.Heal();
        trio.Tick(10);
        Assert.Equal(StoreError.None, trio.ReadAnswer(1));
        // Not before the read's own member has what the new leader had committed.
        Assert.Equal(next.State.Applied, old.State.Applied);
    }

    [Fact]
    public void A_read_whose_time_is_up_hears_that_the_leader_changed_under_it()
    {
        var reads = new ReadRounds(firstContext: 1, timeoutTicks: 70, retryTicks: 5);
        var replies = new List<ReadReply>();
        reads.Add(1, now: 10);
        reads.Add(2, now: 30);
        reads.NextContext(now: 30);
        reads.Expire(now: 100, leaderSinceTick: 20, replies);
        Assert.Equal([new(1, StoreError.LeaderChanged), new(2, StoreError.Timeout)], replies);
    }

    [Fact]
    public void A_proposal_of_unknown_fate_times_out_and_one_without_a_leader_is_refused()
    {
        var trio = new ReplicaTrio();
        var old = trio.Leader;
        trio.Cut(old);
        old.Propose(Put(7, "k"));
        trio.Tick(69);
        Assert.False(trio.IsAnswered(7));
        trio.Tick(2);
        Assert.Equal(StoreError.Timeout, trio.ReplyTo(7).Error);
        old.Propose(Put(8, "k"));
        trio.Settle();
        Assert.Equal(StoreError.NoLeader, trio.ReplyTo(8).Error);
    }

    [Fact]
    public void A_full_queue_refuses_more()
    {
        var trio = new ReplicaTrio();
        for (var i = 1ul; i <= 101; i++) trio.Leader.Propose(Put(i, $"k{i}"));
        trio.Settle();
        Assert.Equal(StoreError.TooManyRequests, trio.ReplyTo(101).Error);
        Assert.Equal(StoreError.None, trio.ReplyTo(100).Error);
    }

    [Fact]
    public void An_expired_lease_is_revoked_through_the_log_and_only_then_not_found()
    {
        var trio = new ReplicaTrio();
        trio.Leader.Propose(new() { RequestId = 7, LeaseGrant = new() { ID = 5, TTL = 3 } });
        trio.Settle();
        Assert.Equal(new LeaseRenewal(StoreError.None, 3), trio.Leader.RenewLease(new(5)));
        trio.Tick(25);
        var leader = trio.Leader;
        // Time passes at the leader alone and nothing is carried yet: the revocation stands in its log, unapplied.
        for (var i = 0; i < 8; i++) leader.Tick();
        Assert.True(leader.RenewLease(new(5)).AwaitsRevoke);
        trio.Tick(6);
        Assert.Equal(StoreError.LeaseNotFound, trio.Leader.RenewLease(new(5)).Error);
        Assert.All(trio.Ids, id => Assert.Null(trio[id].State.FindLease(new(5))));
    }

    /// <summary>A command without a quota says that there is none, which settles every alarm.</summary>
    [Fact]
    public void What_a_leader_proposes_by_itself_leaves_the_alarm_of_a_full_store()
    {
        const long quota = 10_000;
        var trio = new ReplicaTrio(1, quota);
        trio.Leader.Propose(new() { RequestId = 7, QuotaBytes = quota, LeaseGrant = new() { ID = 5, TTL = 1 } });
        for (ulong id = 10; id < 15; id++)
        {
            var put = Put(id, "a");
            (put.QuotaBytes, put.Put.Value) = (quota, ByteString.CopyFrom(new byte[2_000]));
            trio.Leader.Propose(put);
        }
        trio.Settle();
        Assert.Equal(StoreError.NoSpace, trio.ReplyTo(14).Error);
        trio.Tick(40);
        Assert.Null(trio.Leader.State.FindLease(new(5)));
        Assert.Equal(AlarmType.Nospace, Assert.Single(trio.Leader.State.View.Cluster.Alarms).Alarm);
    }

    [Fact]
    public void A_new_leader_goes_on_with_what_the_old_one_had_checkpointed()
    {
        var trio = new ReplicaTrio();
        trio.Leader.Propose(new() { RequestId = 7, LeaseGrant = new() { ID = 5, TTL = 1_000 } });
        trio.Tick(3_100);
        trio.Cut(trio.Leader);
        trio.Tick(40);
        Assert.InRange(trio.Leader.TimeToLive(new(5)).RemainingSeconds, 600, 702);
        Assert.Equal(1_000, trio.Leader.RenewLease(new(5)).TtlSeconds);
        trio.Tick();
        Assert.Equal(0, trio.Leader.State.FindLease(new(5))!.RemainingSeconds);
    }

    [Theory]
    [InlineData(ConfigChangeKind.AddVoter, 1, "http://new:2380", StoreError.MemberExists)]
    [InlineData(ConfigChangeKind.AddVoter, 9, "http://m1:2380", StoreError.PeerUrlExists)]
    [InlineData(ConfigChangeKind.Remove, 9, "", StoreError.MemberNotFound)]
    [InlineData(ConfigChangeKind.Promote, 2, "", StoreError.MemberNotLearner)]
    [InlineData(ConfigChangeKind.Update, 1, "http://m2:2380", StoreError.PeerUrlExists)]
    [InlineData(ConfigChangeKind.AddLearner, 9, "http://new:2380", StoreError.None)]
    [InlineData(ConfigChangeKind.Remove, 3, "", StoreError.None)]
    public void A_change_of_membership_is_judged_first(ConfigChangeKind kind, ulong id, string url, StoreError expected)
    {
        var trio = new ReplicaTrio();
        trio.Leader.ChangeMembership(kind, Change(7, id, url));
        trio.Tick(2);
        Assert.Equal(expected, trio.ReplyTo(7).Error);
    }

    [Fact]
    public void A_member_that_is_silent_for_a_moment_holds_no_change_up()
    {
        var trio = new ReplicaTrio();
        trio.Cut(trio.Follower);
        trio.Tick(15);
        trio.Leader.ChangeMembership(ConfigChangeKind.AddVoter, Change(7, 9, "http://new:2380"));
        trio.Settle();
        Assert.Equal(StoreError.None, trio.ReplyTo(7).Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nobody_is_added_or_removed_while_that_could_stop_the_cluster(bool connectionBroke)
    {
        var trio = new ReplicaTrio();
        var down = trio.Follower;
        trio.Cut(down);
        trio.Tick(connectionBroke ? 1 : 52);
        if (connectionBroke) trio.Leader.ReportUnreachable(down.Status.Id);
        trio.Leader.ChangeMembership(ConfigChangeKind.AddVoter, Change(7, 9, "http://new:2380"));
        trio.Settle();
        Assert.Equal(StoreError.UnhealthyCluster, trio.ReplyTo(7).Error);
        trio.Leader.ChangeMembership(ConfigChangeKind.Remove, Change(8, trio.Follower.Status.Id.Value));
        trio.Settle();
        Assert.Equal(StoreError.UnhealthyCluster, trio.ReplyTo(8).Error);
        trio.Leader.ChangeMembership(ConfigChangeKind.Remove, Change(9, down.Status.Id.Value));
        trio.Tick(2);
        Assert.Equal(StoreError.None, trio.ReplyTo(9).Error);
    }

    [Fact]
    public void While_a_snapshot_is_being_installed_no_other_is_taken_in()
    {
        var trio = new ReplicaTrio();
        var follower = trio.Follower;
        trio.Cut(follower);
        Assert.Equal(new LogIndex(50), Offer(50)?.Index);
        Assert.Null(Offer(60));

        SnapshotMetadata? Offer(ulong index)
        {
            var status = follower.Status;
            follower.Receive(new Message.InstallSnapshot(trio.Leader.Status.Id, status.Id, status.Term, new(new(index), status.Term, follower.State.Config)));
            SnapshotMetadata? restore = null;
            while (follower.HasEffects) restore = follower.TakeEffects().Restore ?? restore;
            return restore;
        }
    }

    [Fact]
    public void A_removed_member_is_told_to_stop()
    {
        var trio = new ReplicaTrio();
        var leaver = trio.Follower.Status.Id;
        trio.Leader.ChangeMembership(ConfigChangeKind.Remove, Change(7, leaver.Value));
        trio.Tick(3);
        Assert.Equal(StoreError.None, trio.ReplyTo(7).Error);
        Assert.Empty(trio.Removed);
        trio.Tick(30);
        Assert.Equal([leaver], trio.Removed);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void A_leader_that_is_to_be_removed_hands_over_first(int members)
    {
        var trio = new ReplicaTrio(members);
        var leaver = trio.Leader;
        trio.Leader.ChangeMembership(ConfigChangeKind.Remove, Change(7, leaver.Status.Id.Value));
        trio.Tick(3);
        Assert.Equal(StoreError.NotLeader, trio.ReplyTo(7).Error);
        Assert.NotSame(leaver, trio.Leader);
        trio.Leader.ChangeMembership(ConfigChangeKind.Remove, Change(8, leaver.Status.Id.Value));
        trio.Tick(40);
        Assert.Equal(StoreError.None, trio.ReplyTo(8).Error);
        Assert.Equal([leaver.Status.Id], trio.Removed);
        Assert.Equal(members - 1, trio.Leader.Status.Config.Voters.Count);
    }
}
