using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.State.Tests;

public sealed class LeaseTests
{
    [Fact]
    public void A_lease_is_granted_once()
    {
        var machine = new Machine();
        var granted = Assert.IsType<LeaseGrantResponse>(machine.Grant(7, ttl: 30).Response);
        Assert.Equal((7, 30, 1), (granted.ID, granted.TTL, granted.Header.Revision));
        Assert.Equal(StoreError.LeaseExists, machine.Grant(7).Error);
        Assert.Equal(StoreError.LeaseTtlTooLarge, machine.Grant(8, ttl: 9_000_000_001).Error);
    }

    /// <summary>Each refusal stands before those below it, as in etcd: (1) corrupt, (2) no space, (3) too long, (4) there already.</summary>
    [Fact]
    public void A_corrupt_cluster_then_a_full_one_then_a_long_life_then_a_taken_id_keeps_a_lease_from_being_granted()
    {
        var machine = new Machine();
        const long Long = 9_000_000_001;
        void Set(AlarmType type, AlarmRequest.Types.AlarmAction action) => machine.Run(new() { Alarm = new() { Action = action, MemberID = 5, Alarm = type } });
        machine.Grant(7);
        Set(AlarmType.Nospace, AlarmRequest.Types.AlarmAction.Activate);
        Set(AlarmType.Corrupt, AlarmRequest.Types.AlarmAction.Activate);
        Assert.Equal(StoreError.CorruptCluster, machine.Grant(7, Long).Error);
        Set(AlarmType.Corrupt, AlarmRequest.Types.AlarmAction.Deactivate);
        Assert.Equal(StoreError.NoSpace, machine.Grant(7, Long).Error);
        Set(AlarmType.Nospace, AlarmRequest.Types.AlarmAction.Deactivate);
        Assert.Equal(StoreError.LeaseTtlTooLarge, machine.Grant(7, Long).Error);
        Assert.Equal(StoreError.LeaseExists, machine.Grant(7).Error);
    }

    [Fact]
    public void Revoking_deletes_the_keys_in_sorted_order_in_one_revision()
    {
        var machine = new Machine();
        machine.Grant(7);
        foreach (var key in new[] { "c", "a", "b" }) machine.Put(key, "v", lease: 7);
        machine.Put("d");
        var revoked = Assert.IsType<LeaseRevokeResponse>(machine.Revoke(7).Response);
        Assert.Equal(6, revoked.Header.Revision);
        Assert.Equal("6:a! 6:b! 6:c!", machine.Events(6));
        Assert.Equal("d=v", machine.Dump());
        Assert.Equal(StoreError.LeaseNotFound, machine.Revoke(7).Error);
    }

    [Fact]
    public void Revoking_a_lease_without_keys_makes_no_revision()
    {
        var machine = new Machine();
        machine.Grant(7);
        machine.Revoke(7);
        Assert.Equal(new Revision(1), machine.View.Revision);
    }

    [Fact]
    public void A_key_hangs_on_the_lease_of_its_last_put()
    {
        var machine = new Machine();
        machine.Grant(1);
        machine.Grant(2);
        machine.Put("a", "v", lease: 1);
        machine.Put("b", "v", lease: 1);
        machine.Put("c", "v", lease: 1);
        machine.Put("a", "v", lease: 2);
        machine.Put("b", "v");
        machine.Delete("c");
        Assert.Empty(machine.State.FindLease(new(1))!.Keys);
        Assert.Single(machine.State.FindLease(new(2))!.Keys);
        machine.Revoke(1);
        Assert.Equal("a=v b=v", machine.Dump());
    }

    [Fact]
    public void A_put_on_an_unknown_lease_is_refused_whole()
    {
        var machine = new Machine();
        Assert.Equal(StoreError.LeaseNotFound, machine.Put("a", "v", lease: 9).Error);
        RequestOp put(string key, long lease) => new() { RequestPut = new() { Key = Machine.Text(key), Lease = lease } };
        Assert.Equal(StoreError.LeaseNotFound, machine.Run(new() { Txn = new() { Success = { put("a", 0), put("b", 9) } } }).Error);
        Assert.Equal(new Revision(1), machine.View.Revision);
    }

    [Fact]
    public void Leases_their_keys_and_checkpoints_survive_a_restart()
    {
        var machine = new Machine();
        machine.Grant(3, ttl: 1000);
        machine.Put("a", "v", lease: 3);
        machine.Run(new() { LeaseCheckpoint = new() { Checkpoints = { new LeaseCheckpoint { ID = 3, RemainingTTL = 400 }, new LeaseCheckpoint { ID = 99, RemainingTTL = 1 } } } });
        machine.Reopen();
        var lease = Assert.Single(machine.State.Leases);
        Assert.Equal((new LeaseId(3), 1000, 400), (lease.Id, lease.GrantedSeconds, lease.RemainingSeconds));
        Assert.Equal("a"u8, Assert.Single(lease.Keys).Span);
    }

    [Fact]
    public void Sealing_settles_the_time_and_the_id_before_the_log()
    {
        var machine = new Machine(new() { LeaseTtlMinSeconds = 2, QuotaBytes = 5 });
        var command = new Protocol.Replicated.Command { LeaseGrant = new() { TTL = -4 } };
        machine.State.Seal(command, new(77));
        Assert.Equal((2, 77, 5), (command.LeaseGrant.TTL, command.LeaseGrant.ID, command.QuotaBytes));
    }
}
