using Xunit;

namespace Store.State.Tests;

/// <summary>The hashes are what etcd 3.5.30 answered to `etcdctl endpoint hashkv` after the same history.</summary>
public sealed class HashKvTests
{
    static Machine History()
    {
        var machine = new Machine();
        machine.Put("a", "1");
        machine.Put("a", "22");
        machine.Put("b", "xyz");
        machine.Delete("a");
        machine.Put("c", "");
        machine.Put("a", "again");
        machine.Put("b", "newer");
        return machine;
    }

    static uint Hash(Machine machine, long revision = 0) => machine.View.HashKv(new(revision)).Hash;

    [Fact]
    public void An_empty_store_hashes_as_etcd_does() => Assert.Equal(1084519789u, Hash(new()));

    [Fact]
    public void A_history_hashes_as_etcd_does()
    {
        var machine = History();
        Assert.Equal(new HashResult(StoreError.None, 172779450u, new(-1), new(8), new(8)), machine.View.HashKv(default));
        Assert.Equal(3649084488u, Hash(machine, revision: 5));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Compaction_changes_the_hash_as_in_etcd_whether_it_was_carried_out_or_not(bool carriedOut)
    {
        var machine = History();
        machine.Compact(5);
        if (carriedOut) machine.CompactAll();
        Assert.Equal(1172003288u, Hash(machine));
        Assert.Equal(2898115337u, Hash(machine, revision: 7));
        machine.Compact(6);
        if (carriedOut) machine.CompactAll();
        Assert.Equal(1172003288u, Hash(machine));
        machine.Delete("\0", "\0");
        Assert.Equal(692845934u, Hash(machine));
        machine.Put("z", "z");
        Assert.Equal(3118755982u, Hash(machine));
    }

    /// <summary>A client may compact at 0 while nothing was compacted yet; it changes nothing.</summary>
    [Fact]
    public void The_time_before_the_first_key_hashes_as_an_empty_store_after_a_compaction_at_zero()
    {
        var machine = History();
        machine.Compact(0);
        Assert.Equal(new HashResult(StoreError.None, 1084519789u, new(0), new(1), new(8)), machine.View.HashKv(new(1)));
    }

    [Fact]
    public void Compacted_and_future_revisions_are_refused()
    {
        var machine = History();
        machine.Compact(5);
        Assert.Equal(StoreError.Compacted, machine.View.HashKv(new(4)).Error);
        Assert.Equal(StoreError.FutureRevision, machine.View.HashKv(new(9)).Error);
    }
}
