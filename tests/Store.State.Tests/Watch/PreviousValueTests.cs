using System.Text;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.State.Tests;

/// <summary>What a watcher with prev_kv is told of a key that one transaction changes twice. Only a nested transaction can.</summary>
public sealed class PreviousValueTests
{
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public void It_is_the_value_before_the_transaction_from_memory_and_from_the_engine(bool existed, bool fromMemory)
    {
        var machine = new Machine();
        if (existed) machine.Put("a", "old");
        var put = new RequestOp { RequestPut = new() { Key = Machine.Text("a"), Value = Machine.Text("new") } };
        var delete = new RequestOp { RequestDeleteRange = new() { Key = Machine.Text("a") } };
        machine.Run(new() { Txn = new() { Success = { Nested(put), Nested(delete) } } });
        if (!fromMemory) machine.Reopen();
        var log = machine.View.Events;
        Assert.Equal(fromMemory, log.InMemory(machine.View.Revision));
        var events = Assert.Single(log.Read(machine.View.Revision, machine.View.Revision)!).Events;
        Assert.Equal([false, true], events.Select(change => change.IsDelete));
        foreach (var change in events)
            Assert.Equal(existed ? "old" : null, log.Previous(change) is { } previous ? Encoding.UTF8.GetString(Protocol.Mvccpb.KeyValue.Parser.ParseFrom(previous.Span).Value.Span) : null);
    }

    static RequestOp Nested(RequestOp operation) => new() { RequestTxn = new() { Success = { operation } } };
}
