using Store.State;

namespace Store.Storage;

public sealed record RocksOptions
{
    public long MemtableBytes { get; init; } = 32 << 20;
    public long BlockCacheBytes { get; init; } = 32 << 20;
}

/// <summary>The state in RocksDB (design S5): its own log is off, all tables flush together.</summary>
public sealed class RocksEngine : IKeyValueEngine, IDisposable
{
    public static RocksEngine Open(string folder, RocksOptions options) => throw new NotImplementedException();

    public void Write(EngineBatch batch) => throw new NotImplementedException();

    public byte[]? Get(Table table, ReadOnlySpan<byte> key) => throw new NotImplementedException();

    public IEnumerable<EngineRow> Scan(Table table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to) => throw new NotImplementedException();

    public IEngineSnapshot Snapshot() => throw new NotImplementedException();

    public EngineSize Size => throw new NotImplementedException();

    /// <summary>Makes everything written before the call durable. Blocks; safe beside writers.</summary>
    public void Flush() => throw new NotImplementedException();

    /// <summary>A consistent copy by hard links in a new folder, flushed first. Blocks; safe beside writers.</summary>
    public void Checkpoint(string folder) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
