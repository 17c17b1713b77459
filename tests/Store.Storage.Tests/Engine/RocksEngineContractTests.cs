using Store.State;
using Store.State.Tests;

namespace Store.Storage.Tests;

/// <summary>RocksDB keeps the contract that the managed engine keeps.</summary>
public sealed class RocksEngineContractTests : EngineContract, IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly List<RocksEngine> engines = [];

    public void Dispose()
    {
        foreach (var engine in engines) engine.Dispose();
        folder.Dispose();
    }

    protected override IKeyValueEngine Open()
    {
        var engine = RocksEngine.Open(folder[$"state{engines.Count}"], new());
        engines.Add(engine);
        return engine;
    }
}
