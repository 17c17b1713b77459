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
    readonly string folder;
    readonly RocksOptions options;
    readonly DatabaseHandle database;
    readonly ReadOptionsHandle readOptions = new(snapshot: 0);
    readonly BatchHandle native;

    RocksEngine(string folder, RocksOptions options, DatabaseHandle database)
    {
        this.folder = folder;
        this.options = options;
        this.database = database;
        native = new(database);
    }

    /// <summary>Opens or creates the state in the folder. Throws <see cref="StorageException"/> when it is damaged, locked or of a newer version.</summary>
    public static RocksEngine Open(string folder, RocksOptions options)
    {
        Disk.CreateFolder(folder);
        try
        {
            return new(folder, options, DatabaseHandle.Open(folder, options));
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
        try
        {
            foreach (var operation in batch.Operations) native.Add(operation);
            native.Write();
        }
        catch (RocksDbException e)
        {
            throw Failed(folder, "the state cannot be written", e);
        }
        native.Clear(batch.SizeBytes);
        options.Committed?.Invoke(Stopwatch.GetElapsedTime(started));
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

    long Sum(string property)
    {
        var sum = 0L;
        foreach (var family in database.Families)
            sum += long.Parse(Native.Instance.rocksdb_property_value_cf_string(database.Pointer, family, property) ?? "0", CultureInfo.InvariantCulture);
        return sum;
    }

    /// <summary>Makes everything written before the call durable, all tables as of one moment. Blocks; safe beside writers.</summary>
    public void Flush()
    {
        using var use = database.Use();
        var started = Stopwatch.GetTimestamp();
        try
        {
            var families = database.Families.ToArray();
            var wait = new FlushOptions().SetWaitForFlush(true);
            Native.Instance.rocksdb_flush_cfs(database.Pointer, wait.Handle, families, families.Length);
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
            var checkpoint = Native.Instance.rocksdb_checkpoint_object_create(database.Pointer);
            try
            {
                Native.Instance.rocksdb_checkpoint_create(checkpoint, target, 0);
            }
            finally
            {
                Native.Instance.rocksdb_checkpoint_object_destroy(checkpoint);
            }
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
        _ when message.Contains("lock hold", StringComparison.Ordinal) || message.Contains("While lock file", StringComparison.Ordinal) => "another process uses this data directory; stop it first",
        _ when message.Contains("Column families not opened", StringComparison.Ordinal) => "start the version of the program that wrote it",
        _ => "if the disk is well, the state is damaged: remove the member from its cluster, empty its data directory and add it again, or restore a backup",
    };

    /// <summary>Closes, and deletes the folder, once the last running read has ended: for a state that was replaced.</summary>
    internal void Discard()
    {
        database.Closed = () =>
        {
            // What cannot be deleted now is removed on the next start.
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
            }
        };
        Dispose();
    }

    /// <summary>Closes once the last running read has ended. RocksDB flushes what is in memory then; what it cannot, the log brings back.</summary>
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
