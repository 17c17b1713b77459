using System.Diagnostics;
using System.Globalization;
using RocksDbSharp;
using Store.State;

namespace Store.Storage;

public sealed record RocksOptions
{
    public long MemtableBytes { get; init; } = 32 << 20;
    public long BlockCacheBytes { get; init; } = 32 << 20;

    /// <summary>Told how long each <see cref="RocksEngine.Write"/> took, on the caller's thread.</summary>
    public Action<TimeSpan>? Committed { get; init; }

    /// <summary>Told how long each <see cref="RocksEngine.Flush"/> took, on the caller's thread.</summary>
    public Action<TimeSpan>? Flushed { get; init; }
}

/// <summary>
/// The state in RocksDB (design S5): its own log is off, all tables flush together. A crash therefore loses a suffix of the writes and never part of
/// one, and the Raft log brings the suffix back. Every method but <see cref="Write"/> may be called beside any other.
/// </summary>
public sealed class RocksEngine : IKeyValueEngine, IDisposable
{
    const long WriteBatchKeptBytesMax = 4 << 20;

    readonly string folder;
    readonly RocksOptions options;
    readonly DatabaseHandle database;
    readonly WriteOptions withoutLog = new WriteOptions().DisableWal(1);
    readonly ReadOptionsHandle readOptions = new(snapshot: 0);
    WriteBatch native = new();

    RocksEngine(string folder, RocksOptions options, DatabaseHandle database)
    {
        this.folder = folder;
        this.options = options;
        this.database = database;
    }

    /// <summary>Opens or creates the state in the folder. Throws <see cref="StorageException"/> when it is damaged, locked or of a newer version.</summary>
    public static RocksEngine Open(string folder, RocksOptions options)
    {
        Disk.CreateFolder(folder);
        try
        {
            var opened = RocksDb.Open(RocksSettings.Database(), folder, RocksSettings.Tables(options));
            return new(folder, options, new(opened, [.. RocksSettings.Names.Select(opened.GetColumnFamily)]));
        }
        catch (RocksDbException e)
        {
            throw Failed(folder, "the state cannot be opened", e);
        }
    }

    public void Write(EngineBatch batch)
    {
        using var use = database.Use();
        var started = Stopwatch.GetTimestamp();
        foreach (var operation in batch.Operations) Add(operation);
        try
        {
            database.Database.Write(native, withoutLog);
        }
        catch (RocksDbException e)
        {
            throw Failed(folder, "the state cannot be written", e);
        }
        Recycle(batch.SizeBytes);
        options.Committed?.Invoke(Stopwatch.GetElapsedTime(started));
    }

    void Add(EngineBatch.Operation operation)
    {
        var family = database.FamilyOf(operation.Table);
        if (operation.RangeEnd is { } end) native.DeleteRange(operation.Key, (ulong)operation.Key.Length, end, (ulong)end.Length, family);
        else if (operation.Value is { } value) native.Put(operation.Key.AsSpan(), value.AsSpan(), family);
        else native.Delete(operation.Key.AsSpan(), family);
    }

    void Recycle(long batchBytes)
    {
        if (batchBytes < WriteBatchKeptBytesMax)
        {
            native.Clear();
            return;
        }
        native.Dispose();
        native = new();
    }

    public byte[]? Get(Table table, ReadOnlySpan<byte> key)
    {
        using var use = database.Use();
        return Get(readOptions, table, key);
    }

    byte[]? Get(ReadOptionsHandle how, Table table, ReadOnlySpan<byte> key)
    {
        try
        {
            return database.Get(how, table, key);
        }
        catch (RocksDbException e)
        {
            throw Failed(folder, $"table {RocksSettings.Names[(int)table]} cannot be read", e);
        }
    }

    /// <summary>As of the moment at which the enumeration begins.</summary>
    public IEnumerable<EngineRow> Scan(Table table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to) => Scan(null, table, from, to);

    IEnumerable<EngineRow> Scan(SnapshotHandle? snapshot, Table table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to)
    {
        using var iterator = new IteratorHandle(database, snapshot, table, to);
        iterator.Seek(from.Span);
        while (HasRow(iterator, table))
        {
            yield return iterator.Row();
            iterator.Next();
        }
    }

    bool HasRow(IteratorHandle iterator, Table table)
    {
        try
        {
            return iterator.HasRow();
        }
        catch (RocksDbException e)
        {
            throw Failed(folder, $"table {RocksSettings.Names[(int)table]} cannot be read", e);
        }
    }

    public IEngineSnapshot Snapshot() => new Frozen(this);

    public EngineSize Size
    {
        get
        {
            using var use = database.Use();
            var memory = Sum("rocksdb.cur-size-all-mem-tables");
            return new(Sum("rocksdb.live-sst-files-size") + memory, Sum("rocksdb.estimate-live-data-size") + memory);
        }
    }

    long Sum(string property) =>
        database.Families.Sum(family => long.Parse(database.Database.GetProperty(property, family) ?? "0", CultureInfo.InvariantCulture));

    /// <summary>Makes everything written before the call durable, all tables as of one moment. Blocks; safe beside writers.</summary>
    public void Flush()
    {
        using var use = database.Use();
        var started = Stopwatch.GetTimestamp();
        try
        {
            var handles = database.Families.Select(family => family.Handle).ToArray();
            var wait = new FlushOptions().SetWaitForFlush(true);
            Native.Instance.rocksdb_flush_cfs(database.Database.Handle, wait.Handle, handles, handles.Length);
            GC.KeepAlive(wait);
        }
        catch (RocksDbException e)
        {
            throw Failed(folder, "the state cannot be made durable", e);
        }
        options.Flushed?.Invoke(Stopwatch.GetElapsedTime(started));
    }

    /// <summary>A consistent copy by hard links in a new folder of the same file system, flushed first. Blocks; safe beside writers.</summary>
    public void Checkpoint(string target)
    {
        Flush();
        using var use = database.Use();
        try
        {
            using var checkpoint = database.Database.Checkpoint();
            checkpoint.Save(target, 0);
        }
        catch (RocksDbException e)
        {
            throw Failed(target, "a copy of the state cannot be made", e);
        }
    }

    static StorageException Failed(string path, string what, RocksDbException e) => new(
        $"{path}: {what}: {e.Message.TrimEnd()}; {Advice(e.Message)}", e);

    static string Advice(string message) => message switch
    {
        _ when message.Contains("No space left", StringComparison.Ordinal) => "free space on the disk and start the member again",
        _ when message.Contains("lock", StringComparison.OrdinalIgnoreCase) => "another process uses this data directory; stop it first",
        _ when message.Contains("Column families not opened", StringComparison.Ordinal) => "start the version of the program that wrote it",
        _ => "if the disk is well, the state is damaged: remove the member from its cluster, empty its data directory and add it again, or restore a backup",
    };

    /// <summary>Closes once the last running read has ended. What was not flushed is left to the log.</summary>
    public void Dispose()
    {
        database.Dispose();
        native.Dispose();
        readOptions.Dispose();
    }

    sealed class Frozen : IEngineSnapshot
    {
        readonly RocksEngine engine;
        readonly SnapshotHandle snapshot;

        internal Frozen(RocksEngine engine)
        {
            this.engine = engine;
            snapshot = new(engine.database);
        }

        public byte[]? Get(Table table, ReadOnlySpan<byte> key)
        {
            using var use = snapshot.Use();
            return engine.Get(snapshot.ReadOptions, table, key);
        }

        public IEnumerable<EngineRow> Scan(Table table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to) => engine.Scan(snapshot, table, from, to);

        public void Dispose() => snapshot.Dispose();
    }
}
