using Store.Raft;

namespace Store.State;

/// <summary>Where a reader finds the row of a change.</summary>
abstract class RowSource
{
    /// <summary>Null when compaction has deleted it since the reader's view was made.</summary>
    public abstract ReadOnlyMemory<byte>? Load(RowId id);

    /// <summary>The newest row of the key, from the cache if it is there.</summary>
    public virtual ReadOnlyMemory<byte>? Load(KeyEntry entry)
    {
        if (entry.Row is not { } row) return Load(entry.Id);
        if (!entry.Referenced) entry.Referenced = true;
        return row;
    }
}

/// <summary>For readers of views: the engine, with a note to the writer of what should have been in the cache.</summary>
sealed class EngineRows(IKeyValueEngine engine, MissedRows missed) : RowSource
{
    public override ReadOnlyMemory<byte>? Load(RowId id)
    {
        Span<byte> key = stackalloc byte[Row.KeyBytes];
        Row.WriteKey(key, id);
        return engine.Get(Table.Revisions, key) is { } row ? Row.Checked(row) : default(ReadOnlyMemory<byte>?);
    }

    public override ReadOnlyMemory<byte>? Load(KeyEntry entry)
    {
        if (base.Load(entry) is not { } row) return null;
        if (entry.Slab is null) missed.Note(entry, row);
        return row;
    }
}

/// <summary>For the writer within a batch: rows that the engine does not have yet, then the engine.</summary>
sealed class PendingRows(RowSource engine) : RowSource
{
    readonly List<(RowId Id, ReadOnlyMemory<byte> Row)> rows = [];

    /// <summary>Changes come in the order of their ids.</summary>
    public void Add(RowId id, ReadOnlyMemory<byte> row) => rows.Add((id, row));

    public void Clear() => rows.Clear();

    public override ReadOnlyMemory<byte>? Load(RowId id)
    {
        var row = Find(id) ?? engine.Load(id);
        Invariant.Require(row is not null);
        return row;
    }

    ReadOnlyMemory<byte>? Find(RowId id)
    {
        int low = 0, high = rows.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = rows[middle].Id.CompareTo(id);
            if (order == 0) return rows[middle].Row;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return null;
    }
}

/// <summary>
/// Rows that readers had to fetch from the engine, for the writer to cache. Readers overwrite each other's notes without a lock: a lost note costs one
/// more read of the engine, and a scan of everything cannot flood the cache, since only these few survive until the writer looks.
/// </summary>
sealed class MissedRows
{
    const int Capacity = 512;

    readonly Miss?[] notes = new Miss?[Capacity];
    int next;

    public void Note(KeyEntry entry, ReadOnlyMemory<byte> row) => notes[next++ & (Capacity - 1)] = new(entry, row);

    public void MoveTo(ValueCache cache)
    {
        if (next == 0) return;
        next = 0;
        for (var slot = 0; slot < Capacity; slot++)
        {
            if (notes[slot] is not { } miss) continue;
            notes[slot] = null;
            if (!miss.Entry.Replaced && miss.Entry.Slab is null) cache.AddCopy(miss.Entry, miss.Row);
        }
    }

    sealed record Miss(KeyEntry Entry, ReadOnlyMemory<byte> Row);
}
