namespace Store.State;

/// <summary>The tables of the engine. Values are stable: they name what stands on disk.</summary>
public enum Table : byte
{
    /// <summary>Big-endian (main revision, sub) to the encoded change: the values and the event log in one (design S6).</summary>
    Revisions = 0,

    /// <summary>Everything small: applied index and term, compacted revision, leases, members, alarms, versions. Keys are listed in MetaKeys.</summary>
    Meta = 1,
}

/// <summary>
/// An ordered, atomic, crash-safe map of bytes per <see cref="Table"/>. One writer; any number of concurrent readers. Writes are durable only
/// once the implementation has flushed them; a crash loses a suffix of the writes, never part of a batch, across all tables.
/// Two implementations: RocksDB for disks, a managed one for the simulator; both pass the same contract tests.
/// </summary>
public interface IKeyValueEngine
{
    /// <summary>Applies the batch atomically. The batch may be reused after <see cref="EngineBatch.Clear"/>.</summary>
    void Write(EngineBatch batch);

    /// <summary>The value, or null.</summary>
    byte[]? Get(Table table, ReadOnlySpan<byte> key);

    /// <summary>Rows with from &lt;= key &lt; to in key order, as of one moment; <paramref name="to"/> null reads to the end.</summary>
    IEnumerable<EngineRow> Scan(Table table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to);

    /// <summary>A frozen view of all tables; dispose it soon, it holds space.</summary>
    IEngineSnapshot Snapshot();

    /// <summary>Bytes on disk, allocated and in use.</summary>
    EngineSize Size { get; }
}

public interface IEngineSnapshot : IDisposable
{
    byte[]? Get(Table table, ReadOnlySpan<byte> key);

    IEnumerable<EngineRow> Scan(Table table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to);
}

/// <summary>The memory belongs to the receiver.</summary>
public readonly record struct EngineRow(byte[] Key, byte[] Value);

public readonly record struct EngineSize(long AllocatedBytes, long InUseBytes);
