using Store.Protocol.Etcdserverpb;
using Store.Raft;
using Xunit;

namespace Store.State.Tests;

public sealed class MembershipTests
{
    [Fact]
    public void Members_come_are_promoted_change_and_go_for_good()
    {
        var machine = new Machine();
        machine.Change(ConfigChangeKind.AddVoter, 1, "http://a");
        var added = machine.Change(ConfigChangeKind.AddLearner, 2, "http://b");
        Assert.Equal(70UL, added.RequestId);
        var response = Assert.IsType<MemberAddResponse>(added.Response);
        Assert.Equal((2UL, true, 2), (response.Member.ID, response.Member.IsLearner, response.Members.Count));
        Assert.Equal("voters [1] learners [2]", machine.State.Config.ToString());
        machine.Change(ConfigChangeKind.Promote, 2);
        Assert.Equal(["http://b"], machine.View.Cluster.Members[new(2)].PeerUrls);
        machine.Change(ConfigChangeKind.Update, 2, "http://c");
        Assert.Equal(["http://c"], machine.View.Cluster.Members[new(2)].PeerUrls);
        machine.Change(ConfigChangeKind.Remove, 1);
        Assert.Equal("voters [2] learners []", machine.State.Config.ToString());
        Assert.Equal([new NodeId(1)], machine.View.Cluster.Removed);
        machine.Reopen();
        Assert.Equal("voters [2] learners []", machine.State.Config.ToString());
        Assert.Equal([new NodeId(1)], machine.View.Cluster.Removed);
    }

    [Fact]
    public void An_update_leaves_a_learner_a_learner()
    {
        var machine = new Machine();
        machine.Change(ConfigChangeKind.AddLearner, 2, "http://b");
        machine.Change(ConfigChangeKind.Update, 2, "http://c");
        Assert.True(machine.View.Cluster.Members[new(2)].IsLearner);
    }

    [Fact]
    public void Attributes_and_the_cluster_version_are_kept()
    {
        var machine = new Machine();
        machine.Change(ConfigChangeKind.AddVoter, 1, "http://a");
        machine.Run(new() { MemberAttributes = new() { MemberId = 1, Name = "one", ClientUrls = { "http://x" }, Version = "3.6.0" } });
        machine.Run(new() { MemberAttributes = new() { MemberId = 2, Name = "stranger" } });
        machine.Run(new() { ClusterVersion = new() { Version = "3.6.0" } });
        machine.Reopen();
        var member = Assert.Single(machine.View.Cluster.Members.Values);
        Assert.Equal(("one", "3.6.0"), (member.Name, member.Version));
        Assert.Equal(["http://x"], member.ClientUrls);
        Assert.Equal("3.6.0", machine.View.Cluster.Version);
    }

    [Fact]
    public void A_downgrade_goes_one_minor_version_down_and_not_twice_at_once()
    {
        var machine = new Machine();
        Assert.Equal(StoreError.DowngradeClusterVersionNotFound, Downgrades.Check(machine.View.Cluster, "3.7.0"));
        machine.Run(new() { ClusterVersion = new() { Version = "3.8.0" } });
        Assert.Equal(StoreError.InvalidDowngradeTargetVersion, machine.Run(new() { Downgrade = new() { Version = "3.6.0" } }).Error);
        Assert.Equal(StoreError.InvalidDowngradeTargetVersion, machine.Run(new() { Downgrade = new() { Version = "3.8.0" } }).Error);
        Assert.Equal(StoreError.NoInflightDowngrade, machine.Run(new() { Downgrade = new() }).Error);
        Assert.Equal(StoreError.None, machine.Run(new() { Downgrade = new() { Version = "3.7.0" } }).Error);
        Assert.Equal(StoreError.DowngradeInProgress, machine.Run(new() { Downgrade = new() { Version = "3.7.0" } }).Error);
        machine.Reopen();
        Assert.Equal("3.7.0", machine.View.Cluster.DowngradeTarget);
        Assert.Equal(StoreError.None, machine.Run(new() { Downgrade = new() }).Error);
        machine.Reopen();
        Assert.Equal("", machine.View.Cluster.DowngradeTarget);
    }

    [Theory]
    [InlineData("3.7", "3.7.0")]
    [InlineData("3.7.5", "3.7.0")]
    [InlineData("3", null)]
    [InlineData("", null)]
    [InlineData("3.7.0.1", null)]
    [InlineData("3.x.0", null)]
    [InlineData("-3.7.0", null)]
    public void A_version_to_go_back_to_is_read_by_its_minor(string text, string? expected) => Assert.Equal(expected, Downgrades.Normalize(text));

    [Fact]
    public void The_alarms_of_a_removed_member_go_with_it()
    {
        var machine = new Machine();
        machine.Change(ConfigChangeKind.AddVoter, 1);
        machine.Change(ConfigChangeKind.AddVoter, 2);
        machine.Run(new() { Alarm = new() { Action = AlarmRequest.Types.AlarmAction.Activate, MemberID = 2, Alarm = AlarmType.Corrupt } });
        machine.Change(ConfigChangeKind.Remove, 2);
        Assert.Empty(machine.View.Cluster.Alarms);
    }
}
