using Xunit;

namespace Store.State.Tests;

public sealed class MemoryEngineTests : EngineContract
{
    protected override IKeyValueEngine Open() => new MemoryEngine();

    [Fact]
    public void A_crash_loses_the_newest_batches_whole()
    {
        var engine = new MemoryEngine();
        Put(engine, "a");
        engine.Flush();
        Put(engine, "b", "c");
        Put(engine, "d", "e");
        Assert.Equal(2, engine.UnflushedBatches);
        engine.Crash(lostBatches: 1);
        Assert.Equal("a= b= c=", Text(engine.Scan(Table.Meta, Bytes(""), null)));
        Assert.Equal(0, engine.UnflushedBatches);
    }

    [Fact]
    public void A_crash_never_loses_what_was_flushed()
    {
        var engine = new MemoryEngine();
        Put(engine, "a");
        Put(engine, "b");
        engine.Flush();
        Put(engine, "c");
        engine.Crash(lostBatches: 1);
        Assert.Equal("a= b=", Text(engine.Scan(Table.Meta, Bytes(""), null)));
    }

    [Fact]
    public void A_fork_goes_its_own_way()
    {
        var engine = new MemoryEngine();
        Put(engine, "a");
        var fork = engine.Fork();
        Put(engine, "b");
        Put(fork, "c");
        Assert.Equal("a= b=", Text(engine.Scan(Table.Meta, Bytes(""), null)));
        Assert.Equal("a= c=", Text(fork.Scan(Table.Meta, Bytes(""), null)));
    }

    static void Put(MemoryEngine engine, params string[] keys) => engine.Write(Batch(batch =>
    {
        foreach (var key in keys) batch.Put(Table.Meta, Bytes(key), default);
    }));
}
