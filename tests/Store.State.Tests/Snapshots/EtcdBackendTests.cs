using Store.Raft;
using Xunit;

namespace Store.State.Tests;

/// <summary>The state as etcd's buckets and back again.</summary>
public class EtcdBackendTests
{
    static readonly RestoreOptions AsItWas = new(0, MarkCompacted: false);

    [Fact]
    public void What_comes_back_reads_alike_at_every_revision_above_the_compacted_one()
    {
        var machine = History();
        machine.Compact(6);
        machine.CompactAll();
        var restored = Restored(machine, AsItWas, out _);
        for (var revision = 6; revision <= machine.View.Revision.Value; revision++) Assert.Equal(machine.Dump(revision), restored.Dump(revision));
        Assert.Equal("Compacted", restored.Dump(5));
        Assert.Equal(machine.Events(6), restored.Events(6));
        Assert.Equal((machine.View.LiveBytes, machine.View.KeyCount), (restored.View.LiveBytes, restored.View.KeyCount));
        Assert.Equal(machine.View.HashKv(default), restored.View.HashKv(default));
    }

    [Fact]
    public void A_snapshot_does_not_tell_how_far_compaction_has_physically_come()
    {
        var (behind, done) = (History(), History());
        behind.Compact(7);
        done.Compact(7);
        done.CompactAll();
        Assert.Equal(Text(done), Text(behind));
        Assert.NotEqual(Text(History()), Text(behind));
    }

    [Fact]
    public void A_snapshot_of_a_restored_state_is_the_same_again()
    {
        var machine = History();
        machine.Compact(7);
        var restored = Restored(machine, AsItWas, out _);
        // Entries of the log, and so members and positions in it, are a cluster's own.
        static string Kept(Machine machine) => string.Join('\n', Text(machine).Split('\n').Where(line => !line.StartsWith("me", StringComparison.Ordinal)));
        Assert.Equal(Kept(machine), Kept(restored));
    }

    [Fact]
    public void By_default_the_revision_is_raised_and_everything_before_is_compacted()
    {
        var machine = History();
        var before = machine.View.Revision.Value;
        var restored = Restored(machine, RestoreOptions.Default, out var told);
        Assert.Equal((new Revision(before + 1_000_000_000), new Revision(before)), (told.Revision, told.SnapshotRevision));
        Assert.Equal(told.Revision, restored.View.Revision);
        Assert.Equal(told.Revision, restored.View.Compacted);
        Assert.Equal(machine.Dump(), restored.Dump());
        Assert.Equal("Compacted", restored.Dump(before));
        restored.CompactAll();
        Assert.Equal(machine.Dump(), restored.Dump());
        // Live bytes are those of the newest values alone.
        machine.Compact(before);
        Assert.Equal(machine.View.LiveBytes, restored.View.LiveBytes);
        Assert.Equal(told.Revision.Value + 1, restored.Put("after").Revision.Value);
        Assert.Equal(StoreError.None, restored.Compact(told.Revision.Value + 1).Error);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5_000_000_000)]
    public void The_revision_lies_above_the_snapshots_and_above_what_was_handed_out_since(long above)
    {
        var machine = History();
        var restored = Restored(machine, RestoreOptions.Default with { AboveRevision = above }, out var told);
        Assert.Equal(new Revision(Math.Max(machine.View.Revision.Value, above) + 1_000_000_000), told.Revision);
        Assert.Equal((told.Revision, told.Revision), (restored.View.Revision, restored.View.Compacted));
        Assert.Equal(machine.Dump(), restored.Dump());
    }

    /// <summary>All of them in memory, some, or none.</summary>
    [Theory]
    [InlineData(1 << 20)]
    [InlineData(1_000)]
    [InlineData(0)]
    public void Rows_are_the_same_wherever_they_are_read(long eventTailBytes)
    {
        var (machine, other) = (History(new() { EventTailBytes = eventTailBytes }), History());
        Assert.Equal(Text(other), Text(machine));
        machine.Compact(6);
        other.Compact(6);
        other.CompactAll();
        Assert.Equal(Text(other), Text(machine));
        using var view = machine.View.Pin();
        for (var after = 6; after <= machine.View.Revision.Value; after++)
            Assert.Equal(Bucket(machine, "key").Where(pair => Main(pair) > after).Select(pair => Convert.ToHexString(pair.Key.Span)),
                EtcdBackend.Of(view, new(after)).Single(bucket => bucket.Name == "key").Pairs.Select(pair => Convert.ToHexString(pair.Key.Span)));

        static long Main(BackendPair pair) => System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(pair.Key.Span);
    }

    [Fact]
    public void Leases_come_back_with_their_keys()
    {
        var restored = Restored(History(), AsItWas, out var told);
        Assert.Equal(2, told.Leases);
        var lease = restored.State.FindLease(new(77))!;
        Assert.Equal((600, "leased"), (lease.GrantedSeconds, string.Join(' ', lease.Keys.Select(key => System.Text.Encoding.UTF8.GetString(key.Span)))));
        Assert.NotNull(restored.State.FindLease(new(-5)));
    }

    [Fact]
    public void The_gap_that_etcdutl_leaves_under_a_bumped_revision_is_borne()
    {
        var machine = History();
        var bumped = machine.View.Revision.Value + 5000;
        IEnumerable<BackendPair> Read(string bucket) => bucket switch
        {
            "key" => [.. Bucket(machine, "key"), new(BackendKeys.Revision(new(new(bumped), 0)), Array.Empty<byte>())],
            "meta" => [new("scheduledCompactRev"u8.ToArray(), BackendKeys.Revision(new(new(bumped), 0)))],
            _ => Bucket(machine, bucket),
        };
        var engine = new MemoryEngine();
        Assert.Equal(new Revision(bumped), StateRestore.Run(Read, AsItWas, engine).Revision);
        var restored = new Machine(engine: engine);
        Assert.Equal(machine.Dump(), restored.Dump());
        restored.CompactAll();
        Assert.Equal(machine.Dump(), restored.Dump());
    }

    [Theory]
    [InlineData("0000", "0A0161")]
    [InlineData("00000000000000055F0000000000000000", "0A0161100518")]
    [InlineData("00000000000000055F0000000000000000", "0A01611005180628012A0178")]
    [InlineData("00000000000000055F0000000000000000", "10051805")]
    [InlineData("FFFFFFFFFFFFFFFF5F0000000000000000", "0A0161")]
    public void Rows_that_etcd_would_not_write_are_refused(string key, string value)
    {
        IEnumerable<BackendPair> Read(string bucket) => bucket == "key" ? [new(Convert.FromHexString(key), Convert.FromHexString(value))] : [];
        Assert.Throws<BackendFormatException>(() => StateRestore.Run(Read, RestoreOptions.Default, new MemoryEngine()));
    }

    [Fact]
    public void Missing_revisions_are_refused_where_they_would_be_needed()
    {
        var machine = History();
        IEnumerable<BackendPair> Read(string bucket) => bucket == "key" ? Bucket(machine, "key").Where((_, i) => i != 3) : Bucket(machine, bucket);
        Assert.Throws<BackendFormatException>(() => StateRestore.Run(Read, AsItWas, new MemoryEngine()));
        StateRestore.Run(Read, RestoreOptions.Default, new MemoryEngine());
    }

    [Fact]
    public void Restoring_twice_gives_the_same_hash()
    {
        var machine = History();
        Assert.Equal(Restored(machine, RestoreOptions.Default, out _).View.StateHash, Restored(machine, RestoreOptions.Default, out _).View.StateHash);
    }

    static Machine History(StateOptions? options = null)
    {
        var machine = new Machine(options);
        machine.Change(ConfigChangeKind.AddVoter, 8, "http://x:1");
        machine.Change(ConfigChangeKind.AddLearner, 9, "http://x:2");
        machine.Change(ConfigChangeKind.AddVoter, 7, "http://x:3");
        machine.Change(ConfigChangeKind.Remove, 7);
        machine.Grant(77, 600);
        machine.Grant(-5, 60);
        machine.Put("a", "1");
        machine.Put("b", "1");
        machine.Put("a", "2");
        machine.Delete("b");
        machine.Run(new()
        {
            Txn = new()
            {
                Success =
                {
                    new Protocol.Etcdserverpb.RequestOp { RequestPut = new() { Key = Machine.Text("c"), Value = Machine.Text("1") } },
                    new Protocol.Etcdserverpb.RequestOp { RequestDeleteRange = new() { Key = Machine.Text("a") } },
                    new Protocol.Etcdserverpb.RequestOp { RequestPut = new() { Key = Machine.Text("d"), Value = Machine.Text("1") } },
                },
            },
        });
        machine.Put("leased", "x", lease: 77);
        machine.Put("b", "back");
        machine.Put("c", "2");
        machine.Delete("d");
        return machine;
    }

    static Machine Restored(Machine machine, RestoreOptions options, out RestoredState told)
    {
        using var view = machine.View.Pin();
        var buckets = EtcdBackend.Of(view);
        var engine = new MemoryEngine();
        told = StateRestore.Run(name => buckets.Single(bucket => bucket.Name == name).Pairs, options, engine);
        return new(engine: engine);
    }

    static List<BackendPair> Bucket(Machine machine, string name)
    {
        using var view = machine.View.Pin();
        return [.. EtcdBackend.Of(view).Single(bucket => bucket.Name == name).Pairs];
    }

    static string Text(Machine machine)
    {
        using var view = machine.View.Pin();
        return string.Join('\n', EtcdBackend.Of(view).SelectMany(
            bucket => bucket.Pairs, (bucket, pair) => $"{bucket.Name} {Convert.ToHexString(pair.Key.Span)} {Convert.ToHexString(pair.Value.Span)}"));
    }
}
