using Xunit;

namespace Store.State.Tests;

/// <summary>Readers on other threads while the one writer applies, compacts and evicts: what they see is always one whole moment.</summary>
public sealed class ConcurrentReadTests
{
    const int Keys = 200;

    [Fact]
    public async Task Readers_see_every_transaction_whole_while_the_writer_goes_on()
    {
        var machine = new Machine(new() { ValueCacheBytes = 5_000, EventTailBytes = 20_000 }, new(forgets: false));
        machine.Put("seed");
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(() => Read(machine, done.Token), TestContext.Current.CancellationToken)).ToArray();
        for (var round = 0; round < 600; round++)
        {
            // Every transaction writes all of its keys with one value: a reader that sees two values has seen a torn moment.
            var command = new Protocol.Replicated.Command { Txn = new() };
            for (var key = round % 2; key < Keys; key += 20)
                command.Txn.Success.Add(new Protocol.Etcdserverpb.RequestOp { RequestPut = new() { Key = Machine.Text($"{round % 2}/{key:d3}"), Value = Machine.Text($"{round}") } });
            machine.Run(command);
            if (round % 5 == 0) machine.Compact(machine.View.Revision.Value - 1);
            machine.State.CompactSome(20);
        }
        await done.CancelAsync();
        await Task.WhenAll(readers);
    }

    static void Read(Machine machine, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            var view = machine.State.View;
            for (var parity = 0; parity < 2; parity++)
            {
                var result = view.Range(new() { Key = Machine.Text($"{parity}/"), RangeEnd = Machine.Text($"{parity}0") });
                Assert.Equal(StoreError.None, result.Error);
                Assert.True(Machine.Decoded(result).Select(kv => kv.Value).Distinct().Count() <= 1);
                Assert.Equal(result.Count, result.KeyValues.Count);
            }
            // The first revision that has events.
            var from = Math.Max(2, view.Compacted.Value + 1);
            if (view.Events.Read(new(from), view.Revision) is not { } revisions) continue;
            foreach (var revision in revisions) Assert.Equal(from++, revision.Revision.Value);
            Assert.True(from > view.Revision.Value);
        }
    }
}
