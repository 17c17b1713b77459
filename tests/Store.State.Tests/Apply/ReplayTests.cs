using Store.Protocol.Replicated;
using Store.Raft;
using Xunit;

namespace Store.State.Tests;

/// <summary>The same log gives the same state, however it is cut into batches, cached, compacted and interrupted.</summary>
public sealed class ReplayTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Options_batches_and_the_pace_of_compaction_do_not_matter(int seed)
    {
        var log = Log(seed, 400);
        var one = Applied(log, new() { ValueCacheBytes = 0, EventTailBytes = 1000 }, new(seed), maxBatch: 1, compactRows: 0);
        var two = Applied(log, new() { QuotaBytes = 12345, LeaseTtlMinSeconds = 50 }, new(seed + 1), maxBatch: 40, compactRows: 5);
        var three = Applied(log, new() { ValueCacheBytes = 900 }, new(seed + 2), maxBatch: 7, compactRows: 1000);
        Assert.Equal(Fingerprint(one), Fingerprint(two));
        Assert.Equal(Fingerprint(one), Fingerprint(three));
        Machine[] all = [one, two, three];
        foreach (var machine in all) machine.CompactAll();
        Assert.Equal(Fingerprint(one), Fingerprint(three));
        Assert.Single(all.Select(machine => machine.Engine.Scan(Table.Revisions, default, null).Count()).Distinct());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void After_crashes_at_random_points_replay_leads_to_the_same_state(int seed)
    {
        var log = Log(seed, 400);
        var undisturbed = Applied(log, new(), new(seed), maxBatch: 10, compactRows: 10);
        var random = new Random(seed);
        var machine = new Machine(new() { ValueCacheBytes = 2000, EventTailBytes = 2000 });
        while (machine.State.Applied.Value < (ulong)log.Count)
        {
            // Replay starts below what is applied, as it does when the log was cut behind an older flush.
            var from = (int)Math.Max(0, (long)machine.State.Applied.Value - random.Next(5));
            machine.State.Apply(log.GetRange(from, Math.Min(random.Next(1, 20), log.Count - from)));
            if (random.Next(3) == 0) machine.State.CompactSome(random.Next(1, 30));
            if (random.Next(4) == 0) machine.Engine.Flush();
            if (random.Next(6) != 0) continue;
            machine.Engine.Crash(random.Next(machine.Engine.UnflushedBatches + 1));
            machine.Reopen();
        }
        Assert.Equal(Fingerprint(undisturbed), Fingerprint(machine));
        machine.CompactAll();
        machine.Reopen();
        Assert.Equal(Fingerprint(undisturbed), Fingerprint(machine));
    }

    [Fact]
    public void Entries_at_or_below_applied_are_skipped()
    {
        var machine = new Machine();
        machine.Put("a");
        Assert.Empty(machine.State.Apply([Machine.Entry(1, new() { Put = new() { Key = Machine.Text("b") } })]));
        Assert.Equal("a=v", machine.Dump());
    }

    [Fact]
    public void A_hole_in_the_log_stops_the_process()
    {
        var machine = new Machine();
        Assert.Throws<InvariantException>(() => machine.State.Apply([Machine.Entry(2, new() { Put = new() { Key = Machine.Text("b") } })]));
    }

    [Fact]
    public void An_empty_entry_moves_the_index_alone()
    {
        var machine = new Machine();
        var result = Assert.Single(machine.State.Apply([new(new(3), new(1), EntryKind.Normal, default)]));
        Assert.Equal((0UL, StoreError.None, null), (result.RequestId, result.Error, result.Response));
        machine.Reopen();
        Assert.Equal((new LogIndex(1), new Term(3)), (machine.State.Applied, machine.State.AppliedTerm));
        Assert.Equal(new Revision(1), machine.View.Revision);
    }

    [Fact]
    public void A_command_of_a_newer_version_stops_the_process()
    {
        var machine = new Machine();
        var error = Assert.Throws<InvariantException>(() => machine.Run(new() { RequestId = 1 }));
        Assert.Contains("newer version", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_of_another_format_is_refused_with_a_clear_line()
    {
        var engine = new MemoryEngine();
        var batch = new EngineBatch();
        batch.Put(Table.Meta, MetaKeys.Applied, new byte[] { 9, 0, 0 });
        engine.Write(batch);
        var error = Assert.Throws<StateFormatException>(() => StateMachine.Open(engine, new()));
        Assert.Equal("the state on disk has format 9 but this version reads formats up to 1: start the version that wrote it, or a newer one", error.Message);
    }

    static List<Entry> Log(int seed, int length)
    {
        var random = new Random(seed);
        var requests = new RandomRequests(random);
        var log = new List<Entry>();
        for (var index = 1; index <= length; index++)
        {
            // Revisions that may be compacted or in the future are part of what must come out alike.
            var command = random.Next(12) switch
            {
                < 5 => new Command { Put = requests.Put() },
                5 => new() { DeleteRange = requests.Delete() },
                < 9 => new() { Txn = requests.Txn(index / 2) },
                9 => new() { Compaction = new() { Revision = random.Next(index / 2 + 2) } },
                10 => new() { LeaseGrant = new() { ID = random.Next(1, 5), TTL = 60 } },
                _ => new() { LeaseRevoke = new() { ID = random.Next(1, 5) } },
            };
            command.QuotaBytes = 40_000;
            log.Add(Machine.Entry((ulong)index, command));
        }
        return log;
    }

    static Machine Applied(List<Entry> log, StateOptions options, Random random, int maxBatch, int compactRows)
    {
        var machine = new Machine(options);
        for (var at = 0; at < log.Count;)
        {
            var size = Math.Min(random.Next(1, maxBatch + 1), log.Count - at);
            machine.State.Apply(log.GetRange(at, size));
            at += size;
            if (compactRows > 0) machine.State.CompactSome(compactRows);
        }
        return machine;
    }

    static string Fingerprint(Machine machine)
    {
        var view = machine.View;
        var leases = string.Join(' ', machine.State.Leases.Select(lease => $"{lease.Id}:{lease.Keys.Count}"));
        return $"{machine.State.Applied} {view.Revision} {view.Compacted} {view.LiveBytes} {view.StateHash:x} {view.HashKv(default)} "
            + $"{view.KeyCount} [{leases}] [{string.Join(' ', view.Cluster.Alarms)}] {machine.Dump()} {machine.Dump(view.Compacted.Value)}";
    }
}
