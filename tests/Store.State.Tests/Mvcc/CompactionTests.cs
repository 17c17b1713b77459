using Xunit;

namespace Store.State.Tests;

/// <summary>Contract 1.5, with the bugs that etcd had there.</summary>
public sealed class CompactionTests
{
    [Fact]
    public void The_compacted_revision_is_readable_and_older_ones_are_not_at_once()
    {
        var machine = new Machine();
        machine.Put("a", "2");
        machine.Put("a", "3");
        machine.Put("a", "4");
        Assert.Equal(StoreError.None, machine.Compact(3).Error);
        Assert.Equal("a=3", machine.Dump(3));
        Assert.Equal("Compacted", machine.Dump(2));
        Assert.Equal(StoreError.Compacted, machine.Compact(3).Error);
        Assert.Equal(StoreError.Compacted, machine.Compact(2).Error);
        Assert.Equal(StoreError.FutureRevision, machine.Compact(5).Error);
        machine.CompactAll();
        Assert.Equal("a=3", machine.Dump(3));
        Assert.Equal("a=4", machine.Dump());
    }

    [Fact]
    public void Superseded_rows_and_old_tombstones_are_deleted_in_bounded_steps()
    {
        var machine = new Machine();
        for (var i = 0; i < 10; i++) machine.Put("a", $"{i}");
        machine.Put("b");
        machine.Delete("b");
        machine.Put("c");
        machine.Compact(machine.View.Revision.Value);
        var steps = 1;
        while (machine.State.CompactSome(3)) steps++;
        Assert.Equal(5, steps);
        Assert.Equal(2, machine.Engine.Scan(Table.Revisions, default, null).Count());
        Assert.False(machine.State.CompactSome(3));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_tombstone_exactly_at_the_compacted_revision_stays_for_a_watch_that_starts_there(bool reopened)
    {
        var machine = new Machine(new() { EventTailBytes = 0 });
        machine.Put("a");
        machine.Delete("a");
        machine.Put("b");
        machine.Compact(3);
        machine.CompactAll();
        if (reopened) machine.Reopen();
        Assert.Equal("3:a! 4:b=v", machine.Events(3));
        Assert.Equal("Compacted", machine.Events(2));
        machine.Compact(4);
        machine.CompactAll();
        Assert.Single(machine.Engine.Scan(Table.Revisions, default, null));
        Assert.Equal("4:b=v", machine.Events(4));
    }

    [Fact]
    public void The_current_revision_survives_the_compaction_of_everything()
    {
        var machine = new Machine();
        machine.Put("a");
        machine.Delete("a");
        machine.Put("b");
        machine.Delete("b");
        machine.Compact(5);
        machine.CompactAll();
        machine.Reopen();
        Assert.Equal(new Revision(5), machine.View.Revision);
        machine.Put("c");
        machine.Compact(6);
        machine.CompactAll();
        Assert.Equal("c=v", machine.Dump());
        Assert.Single(machine.Engine.Scan(Table.Revisions, default, null));
    }

    [Fact]
    public void Compaction_goes_on_after_a_restart_in_its_middle()
    {
        var machine = new Machine();
        for (var i = 0; i < 50; i++) machine.Put($"k{i % 5}", $"{i}");
        machine.Compact(40);
        machine.State.CompactSome(7);
        machine.Reopen();
        machine.State.CompactSome(7);
        machine.Compact(51);
        machine.Reopen();
        machine.CompactAll();
        Assert.Equal(5, machine.Engine.Scan(Table.Revisions, default, null).Count());
        Assert.Equal("k0=45 k1=46 k2=47 k3=48 k4=49", machine.Dump());
    }

    [Fact]
    public void A_key_put_again_between_compaction_and_its_execution_keeps_its_new_life()
    {
        var machine = new Machine();
        machine.Put("a", "old");
        machine.Delete("a");
        machine.Put("x");
        machine.Compact(4);
        machine.Put("a", "new");
        machine.CompactAll(1);
        Assert.Equal("a=new x=v", machine.Dump());
        Assert.Equal(1, Machine.Decoded(machine.Range("a"))[0].Version);
        machine.Reopen();
        Assert.Equal("a=new x=v", machine.Dump());
    }

    [Fact]
    public void A_reader_of_now_that_compaction_overtakes_gets_a_later_now()
    {
        var machine = new Machine(new() { ValueCacheBytes = 0 });
        machine.Put("a", "2");
        var view = machine.View;
        machine.Put("a", "3");
        machine.Compact(3);
        machine.CompactAll();
        var now = view.Range(new() { Key = Machine.Text("a") });
        Assert.Equal((new Revision(3), "3"), (now.Revision, Machine.Decoded(now)[0].Value.ToStringUtf8()));
        Assert.Equal(StoreError.Compacted, view.Range(new() { Key = Machine.Text("a"), Revision = 2 }).Error);
    }

    [Fact]
    public void Compaction_gives_back_the_bytes_of_what_it_removes_at_once()
    {
        var machine = new Machine();
        machine.Put("a", "12345");
        machine.Put("a", "1");
        machine.Delete("a");
        Assert.Equal(262 + 258, machine.View.LiveBytes);
        machine.Compact(2);
        Assert.Equal(262 + 258, machine.View.LiveBytes);
        machine.Compact(3);
        Assert.Equal(258, machine.View.LiveBytes);
        machine.Compact(4);
        Assert.Equal(0, machine.View.LiveBytes);
    }
}
