namespace Store.State;

/// <summary>An earlier change of a key that compaction has not removed yet.</summary>
readonly struct OlderRow(long main, int sub, bool tombstone)
{
    readonly int subAndFlag = tombstone ? sub | int.MinValue : sub;

    public readonly long Main = main;

    public int Sub => subAndFlag & int.MaxValue;

    public bool Tombstone => subAndFlag < 0;

    public RowId Id => new(new(Main), Sub);
}

/// <summary>
/// All that memory knows of one key: its newest change and where the older ones stand. Immutable but for the cache's fields, so that published
/// views read it beside the writer; each change makes a new entry. 104 bytes beside the key and the cached row.
/// </summary>
/// <remarks>
/// The life of a key: put at 2, put at 5, deleted at 7, put at 9. The newest is (9, create 9, version 1), the older rows are 2, 5 and 7 with 7 marked
/// as a tombstone. A read at 6 finds 5; a read at 8 finds 7 and so nothing. Compaction at 8 leaves no older row, at 7 it leaves the tombstone 7.
/// </remarks>
sealed class KeyEntry
{
    public readonly byte[] Key;

    /// <summary>
    /// In ascending order; only the first <see cref="OlderCount"/> belong to this entry. Entries of the same key share the array: the history of a
    /// state machine never branches, so the next entry may append behind what this one sees.
    /// </summary>
    public readonly OlderRow[]? Older;

    public readonly long Main;
    public readonly long Create;
    public readonly long Version;
    public readonly long Lease;
    public readonly int Sub;
    public readonly int OlderCount;

    /// <summary>What the newest row counts for in the quota; zero for a tombstone.</summary>
    public readonly int Cost;

    /// <summary>Owned by <see cref="ValueCache"/>, like the fields below it: where the encoded row stands while it is cached.</summary>
    public int CacheSlot;

    public int RowBytes;

    volatile RowSlab? slab;
    volatile int rowStart;

    public readonly bool Tombstone;

    /// <summary>Read since the cache's hand last passed. Racy on purpose: a lost mark costs one read of the engine.</summary>
    public bool Referenced;

    /// <summary>A newer entry stands in the tree; no use in caching this one any more.</summary>
    public bool Replaced;

    public KeyEntry(byte[] key, RowId id, long create, long version, long lease, int cost, bool tombstone, OlderRow[]? older, int olderCount)
    {
        Key = key;
        Main = id.Main.Value;
        Sub = id.Sub;
        Create = create;
        Version = version;
        Lease = lease;
        Cost = cost;
        Tombstone = tombstone;
        Older = older;
        OlderCount = olderCount;
    }

    /// <summary>For the writer.</summary>
    public RowSlab? Slab => slab;

    public int RowStart => rowStart;

    /// <summary>The encoded row, null when it is not cached. Safe beside the writer.</summary>
    /// <remarks>
    /// How a reader might put one slab and another's place together, and why it does not: (1) it reads the place; (2) the writer moves the row: no slab, the new place, the
    /// new slab, in this order; (3) the reader reads the slab, and then finds another place than before, and goes to the engine. A slab is never used twice.
    /// </remarks>
    public ReadOnlyMemory<byte>? Row
    {
        get
        {
            var start = rowStart;
            var from = slab;
            return from is not null && rowStart == start ? from.At(start, RowBytes) : default(ReadOnlyMemory<byte>?);
        }
    }

    public void StandAt(RowSlab newSlab, int start)
    {
        slab = null;
        rowStart = start;
        slab = newSlab;
    }

    public void StandNowhere() => slab = null;

    public RowId Id => new(new(Main), Sub);

    /// <summary>The length of the newest value; of no meaning for a tombstone.</summary>
    public int ValueBytes => Cost - SpaceUsage.CostOf(Key.Length, 0);

    /// <summary>The older rows of the entry that follows this one: this entry's, then this entry itself.</summary>
    public OlderRow[] PushOlder()
    {
        var rows = Older;
        if (rows is null) rows = new OlderRow[1];
        else if (rows.Length == OlderCount) Array.Resize(ref rows, OlderCount * 2);
        rows[OlderCount] = new(Main, Sub, Tombstone);
        return rows;
    }

    /// <summary>The change in force at the revision; false when the key did not exist then.</summary>
    public bool TryAt(long revision, out RowId id)
    {
        if (Main <= revision)
        {
            id = Id;
            return !Tombstone;
        }
        var index = LastOlderAt(revision);
        if (index < 0)
        {
            id = default;
            return false;
        }
        id = Older![index].Id;
        return !Older[index].Tombstone;
    }

    /// <summary>
    /// This entry without what compaction at the revision makes unreadable. Null when nothing of the key is left. A tombstone exactly at the revision
    /// stays, for a watch that starts there (contract 1.5).
    /// </summary>
    public KeyEntry? Compact(long revision)
    {
        if (Main <= revision)
        {
            if (Tombstone && Main < revision) return null;
            return OlderCount == 0 ? this : WithOlder(null, 0);
        }
        var first = LastOlderAt(revision);
        if (first < 0) return this;
        if (Older![first].Tombstone && Older[first].Main < revision) first++;
        if (first == 0) return this;
        return WithOlder(first == OlderCount ? null : Older[first..OlderCount], OlderCount - first);
    }

    int LastOlderAt(long revision)
    {
        int low = 0, high = OlderCount;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Older![middle].Main <= revision) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }

    KeyEntry WithOlder(OlderRow[]? older, int count) => new(Key, Id, Create, Version, Lease, Cost, Tombstone, older, count);
}
