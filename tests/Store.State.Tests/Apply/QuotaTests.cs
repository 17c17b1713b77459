using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Xunit;

namespace Store.State.Tests;

/// <summary>Contract 1.9 and design S12.</summary>
public sealed class QuotaTests
{
    const long Limit = 10_000;

    static ApplyResult Put(Machine machine, string key, int valueBytes, long quota = Limit) => machine.Run(new()
    {
        QuotaBytes = quota,
        Put = new() { Key = Machine.Text(key), Value = Machine.Text(new string('x', valueBytes)) },
    });

    static Machine Full()
    {
        var machine = new Machine();
        for (var i = 0; i < 4; i++) Assert.Equal(StoreError.None, Put(machine, "a", 2000).Error);
        Assert.Equal(StoreError.NoSpace, Put(machine, "a", 2000).Error);
        return machine;
    }

    static Command Deletion => new() { QuotaBytes = Limit, DeleteRange = new() { Key = Machine.Text("a") } };

    static Command Compaction(long revision) => new() { QuotaBytes = Limit, Compaction = new() { Revision = revision } };

    [Fact]
    public void A_write_that_does_not_fit_is_refused_whole_and_raises_the_alarm()
    {
        var machine = Full();
        Assert.Equal(new Revision(5), machine.View.Revision);
        Assert.Equal(AlarmType.Nospace, Assert.Single(machine.View.Cluster.Alarms).Alarm);
        Assert.Equal(StoreError.NoSpace, Put(machine, "small", 1).Error);
        Assert.Equal(StoreError.NoSpace, machine.Run(new() { QuotaBytes = Limit, LeaseGrant = new() { ID = 1, TTL = 5 } }).Error);
        Assert.Equal(StoreError.NoSpace, machine.Run(new()
        {
            QuotaBytes = Limit,
            Txn = new() { Failure = { new RequestOp { RequestPut = new() { Key = Machine.Text("b") } } } },
        }).Error);
    }

    [Fact]
    public void Deletions_and_compaction_work_without_space_and_clear_the_alarm()
    {
        var machine = Full();
        Assert.Equal(StoreError.None, machine.Run(Deletion).Error);
        Assert.Single(machine.View.Cluster.Alarms);
        Assert.Equal(StoreError.None, machine.Run(Compaction(3)).Error);
        Assert.Empty(machine.View.Cluster.Alarms);
        Assert.Equal(StoreError.None, Put(machine, "b", 500).Error);
    }

    [Fact]
    public void A_larger_quota_clears_the_alarm_with_the_next_command()
    {
        var machine = Full();
        Assert.Equal(StoreError.NoSpace, Put(machine, "b", 1, quota: 2 * Limit).Error);
        Assert.Empty(machine.View.Cluster.Alarms);
        Assert.Equal(StoreError.None, Put(machine, "b", 1, quota: 2 * Limit).Error);
    }

    [Fact]
    public void The_alarm_and_its_reason_survive_a_restart()
    {
        var machine = Full();
        machine.Reopen();
        Assert.Single(machine.View.Cluster.Alarms);
        machine.Run(Compaction(5));
        Assert.Empty(machine.View.Cluster.Alarms);
        machine.Reopen();
        Assert.Empty(machine.View.Cluster.Alarms);
    }

    [Fact]
    public void An_alarm_raised_by_hand_stays_until_it_is_disarmed_by_hand()
    {
        var machine = new Machine();
        AlarmRequest alarm(AlarmRequest.Types.AlarmAction action) => new() { Action = action, MemberID = 5, Alarm = AlarmType.Nospace };
        var raised = (AlarmResponse)machine.Run(new() { Alarm = alarm(AlarmRequest.Types.AlarmAction.Activate) }).Response!;
        Assert.Equal(5UL, Assert.Single(raised.Alarms).MemberID);
        var again = (AlarmResponse)machine.Run(new() { Alarm = alarm(AlarmRequest.Types.AlarmAction.Activate) }).Response!;
        Assert.Equal(raised.Alarms, again.Alarms);
        Assert.Equal(StoreError.NoSpace, Put(machine, "a", 1).Error);
        Assert.Single(((AlarmResponse)machine.Run(new() { Alarm = new() }).Response!).Alarms);
        var cleared = (AlarmResponse)machine.Run(new() { Alarm = alarm(AlarmRequest.Types.AlarmAction.Deactivate) }).Response!;
        Assert.Single(cleared.Alarms);
        Assert.Equal(StoreError.None, Put(machine, "a", 1).Error);
    }

    [Fact]
    public void A_corrupt_cluster_takes_nothing_but_alarms()
    {
        var machine = new Machine();
        machine.Run(new() { Alarm = new() { Action = AlarmRequest.Types.AlarmAction.Activate, MemberID = 5, Alarm = AlarmType.Corrupt } });
        Assert.Equal(StoreError.CorruptCluster, Put(machine, "a", 1).Error);
        Assert.Equal(StoreError.CorruptCluster, machine.Delete("a").Error);
        Assert.Equal(StoreError.None, machine.Run(new() { Alarm = new() }).Error);
    }
}
