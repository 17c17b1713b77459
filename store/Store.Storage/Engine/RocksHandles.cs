using System.Runtime.InteropServices;
using RocksDbSharp;
using Store.State;

namespace Store.Storage;

/// <summary>A native object that others may hold on to: it is freed when its owner and everybody who uses it have let go, or by the finalizer.</summary>
abstract class NativeHandle() : SafeHandle(0, ownsHandle: true)
{
    public sealed override bool IsInvalid => handle == 0;

    /// <summary>Keeps the object alive until the lease is disposed of. Throws <see cref="ObjectDisposedException"/> once the owner has closed it.</summary>
    internal Lease Use()
    {
        Hold();
        return new(this);
    }

    /// <summary>Like <see cref="Use"/>, to be ended by <see cref="SafeHandle.DangerousRelease"/>: for handles that live on another one.</summary>
    internal void Hold()
    {
        var taken = false;
        DangerousAddRef(ref taken);
    }

    internal nint Pointer => handle;

    internal readonly ref struct Lease(NativeHandle owner)
    {
        public void Dispose() => owner.DangerousRelease();
    }
}

/// <summary>
/// The open database. Iterators, snapshots and running reads hold it, so that closing the engine under a reader ends with the reader's
/// <see cref="ObjectDisposedException"/> or after its last row, never in freed memory. The binding's own RocksDb class is not used: its finalizer
/// closes the database while iterators that were abandoned together with it still wait for theirs.
/// </summary>
sealed unsafe class DatabaseHandle : NativeHandle
{
    readonly nint[] families;

    DatabaseHandle(nint database, nint[] families)
    {
        this.families = families;
        SetHandle(database);
    }

    /// <summary>Called after the database was closed.</summary>
    internal Action? Closed { get; set; }

    /// <summary>The column families of the tables.</summary>
    internal ReadOnlySpan<nint> Families => families.AsSpan(1);

    internal static DatabaseHandle Open(string folder, RocksOptions options)
    {
        var settings = RocksSettings.Database();
        var tables = RocksSettings.Tables(options);
        // RocksDB insists on a family of its own choice, which stays empty.
        string[] names = ["default", .. RocksSettings.Names];
        var families = new nint[names.Length];
        var database = Native.Instance.rocksdb_open_column_families(
            settings.Handle, folder, names.Length, names, [.. tables.Select(table => table.Handle)], families);
        GC.KeepAlive(settings);
        GC.KeepAlive(tables);
        return new(database, families);
    }

    internal nint FamilyOf(Table table) => families[(int)table + 1];

    /// <summary>The value, copied once; null when there is none.</summary>
    internal byte[]? Get(ReadOptionsHandle how, Table table, ReadOnlySpan<byte> key)
    {
        nint pinned;
        fixed (byte* start = key)
            pinned = Native.Instance.rocksdb_get_pinned_cf(handle, how.Pointer, FamilyOf(table), start, (nuint)key.Length);
        if (pinned == 0) return null;
        var value = Native.Instance.rocksdb_pinnableslice_value(pinned, out var length);
        var copy = new ReadOnlySpan<byte>((void*)value, checked((int)length)).ToArray();
        Native.Instance.rocksdb_pinnableslice_destroy(pinned);
        return copy;
    }

    protected override bool ReleaseHandle()
    {
        foreach (var family in families) Native.Instance.rocksdb_column_family_handle_destroy(family);
        Native.Instance.rocksdb_close(handle);
        Closed?.Invoke();
        return true;
    }
}

/// <summary>Read options: checksums verified, at a snapshot or (zero) at the newest state.</summary>
sealed class ReadOptionsHandle : NativeHandle
{
    internal ReadOptionsHandle(nint snapshot)
    {
        SetHandle(Native.Instance.rocksdb_readoptions_create());
        Native.Instance.rocksdb_readoptions_set_verify_checksums(handle, 1);
        if (snapshot == 0) return;
        Native.Instance.rocksdb_readoptions_set_snapshot(handle, snapshot);
        // Whoever reads all of a snapshot reads it once: it would push out of the cache what requests need.
        Native.Instance.rocksdb_readoptions_set_fill_cache(handle, 0);
    }

    protected override bool ReleaseHandle()
    {
        Native.Instance.rocksdb_readoptions_destroy(handle);
        return true;
    }
}

/// <summary>Writes on their way into the database, without its log.</summary>
sealed unsafe class BatchHandle : NativeHandle
{
    const long KeptBytesMax = 4 << 20;

    readonly DatabaseHandle database;
    readonly nint options = Native.Instance.rocksdb_writeoptions_create();

    internal BatchHandle(DatabaseHandle database)
    {
        this.database = database;
        Native.Instance.rocksdb_writeoptions_disable_WAL(options, 1);
        SetHandle(Native.Instance.rocksdb_writebatch_create());
    }

    internal void Add(EngineBatch.Operation operation)
    {
        var family = database.FamilyOf(operation.Table);
        fixed (byte* key = operation.Key, value = operation.Value is { } bytes ? bytes.Span : operation.RangeEnd)
        {
            var keyLength = (nuint)operation.Key.Length;
            if (operation.RangeEnd is { } end) Native.Instance.rocksdb_writebatch_delete_range_cf(handle, family, key, keyLength, value, (nuint)end.Length);
            else if (operation.Value is { } put) Native.Instance.rocksdb_writebatch_put_cf(handle, family, key, keyLength, value, (nuint)put.Length);
            else Native.Instance.rocksdb_writebatch_delete_cf(handle, family, key, keyLength);
        }
    }

    internal void Write() => Native.Instance.rocksdb_write(database.Pointer, options, handle);

    /// <summary>Empties it; the memory of a large one is given back.</summary>
    internal void Clear(long usedBytes)
    {
        Native.Instance.rocksdb_writebatch_clear(handle);
        if (usedBytes <= KeptBytesMax) return;
        Native.Instance.rocksdb_writebatch_destroy(handle);
        SetHandle(Native.Instance.rocksdb_writebatch_create());
    }

    protected override bool ReleaseHandle()
    {
        Native.Instance.rocksdb_writebatch_destroy(handle);
        Native.Instance.rocksdb_writeoptions_destroy(options);
        return true;
    }
}

sealed class SnapshotHandle : NativeHandle
{
    readonly DatabaseHandle database;

    internal SnapshotHandle(DatabaseHandle database)
    {
        database.Hold();
        this.database = database;
        SetHandle(Native.Instance.rocksdb_create_snapshot(database.Pointer));
        ReadOptions = new(handle);
    }

    internal ReadOptionsHandle ReadOptions { get; }

    protected override bool ReleaseHandle()
    {
        ReadOptions.Dispose();
        Native.Instance.rocksdb_release_snapshot(database.Pointer, handle);
        database.DangerousRelease();
        return true;
    }
}

/// <summary>An iterator with everything native that must live as long as it: its options, and the upper bound they point to.</summary>
sealed unsafe class IteratorHandle : NativeHandle
{
    readonly DatabaseHandle database;
    readonly SnapshotHandle? snapshot;
    readonly ReadOptionsHandle options;
    readonly byte* upperBound;

    internal IteratorHandle(DatabaseHandle database, SnapshotHandle? snapshot, Table table, ReadOnlyMemory<byte>? to)
    {
        snapshot?.Hold();
        this.snapshot = snapshot;
        database.Hold();
        this.database = database;
        options = new(snapshot?.Pointer ?? 0);
        if (to is { } bound)
        {
            upperBound = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, bound.Length));
            bound.Span.CopyTo(new(upperBound, bound.Length));
            Native.Instance.rocksdb_readoptions_set_iterate_upper_bound(options.Pointer, upperBound, (nuint)bound.Length);
        }
        SetHandle(Native.Instance.rocksdb_create_iterator_cf(database.Pointer, options.Pointer, database.FamilyOf(table)));
    }

    internal void Seek(ReadOnlySpan<byte> key)
    {
        fixed (byte* start = key) Native.Instance.rocksdb_iter_seek(handle, start, (nuint)key.Length);
    }

    internal void Next() => Native.Instance.rocksdb_iter_next(handle);

    /// <summary>False at the end. Throws when the iterator stopped because of an error: a block that fails its checksum must not look like the end.</summary>
    internal bool HasRow()
    {
        if (Native.Instance.rocksdb_iter_valid(handle) != 0) return true;
        Native.Instance.rocksdb_iter_get_error(handle);
        return false;
    }

    internal EngineRow Row()
    {
        var key = Native.Instance.rocksdb_iter_key(handle, out var keyLength);
        var value = Native.Instance.rocksdb_iter_value(handle, out var valueLength);
        return new(
            new ReadOnlySpan<byte>((void*)key, checked((int)keyLength)).ToArray(), new ReadOnlySpan<byte>((void*)value, checked((int)valueLength)).ToArray());
    }

    protected override bool ReleaseHandle()
    {
        Native.Instance.rocksdb_iter_destroy(handle);
        options.Dispose();
        NativeMemory.Free(upperBound);
        database.DangerousRelease();
        snapshot?.DangerousRelease();
        return true;
    }
}
