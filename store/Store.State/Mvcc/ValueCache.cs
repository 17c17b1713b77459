using Store.Raft;

namespace Store.State;

/// <summary>
/// Keeps the newest encoded rows up to a byte budget. They stand one behind the other in slabs of a fixed size, so that to the garbage collector a thousand rows are one object
/// that never moves, and there are no holes between them. Owned by the writer. Readers only mark entries and fall back to the engine.
/// </summary>
/// <remarks>
/// When there are too many slabs, one is emptied and let go. If much of the space is dead (rows that were replaced) it is the slab with the least life in it, whose rows move on.
/// Else it is the oldest, and of its rows only those move on that were read since they came there: the clock algorithm, a slab at a time. A slab is never used
/// again: readers and events may still hold pieces of it.
/// </remarks>
sealed class ValueCache
{
    /// <summary>More than the collector moves (85,000 bytes), little enough that a slab is emptied within a millisecond.</summary>
    const int SlabBytesMax = 256 << 10;

    /// <summary>When everything has been read lately nothing would be given up: the slab after so many is, so that no write pays for the whole cache.</summary>
    const int TurnsMax = 4;

    const int SlabsMin = 8;

    /// <summary>With less of the space alive than this share, rows are moved rather than given up.</summary>
    const double CrowdedShare = 0.75;

    readonly long bytesMax;
    readonly int slabBytes;
    readonly LinkedList<RowSlab> slabs = new();
    RowSlab? filling;

    public ValueCache(long bytesMax)
    {
        this.bytesMax = bytesMax;
        slabBytes = (int)Math.Min(SlabBytesMax, bytesMax / 8);
    }

    /// <summary>Of all slabs.</summary>
    public long Bytes { get; private set; }

    /// <summary>Of the rows in them that have not been replaced.</summary>
    long Live { get; set; }

    /// <summary>The budget, or less where half of the space would be dead.</summary>
    long Allowed => Math.Min(bytesMax, Math.Max(slabBytes * SlabsMin, 2 * Live));

    /// <summary>Memory for a row that is about to be written; a part of the cache once <see cref="Add"/> was called with it.</summary>
    public Memory<byte> Reserve(int length)
    {
        if (IsLarge(length)) return GC.AllocateUninitializedArray<byte>(length);
        if (filling is null || filling.Free < length)
        {
            filling = new(slabBytes);
            slabs.AddLast(filling);
            Bytes += slabBytes;
        }
        return filling.Take(length);
    }

    /// <param name="row">From <see cref="Reserve"/>, the newest there.</param>
    public void Add(KeyEntry entry, Memory<byte> row)
    {
        if (row.Length > bytesMax) return;
        var slab = filling;
        if (IsLarge(row.Length))
        {
            slab = new(row);
            slabs.AddLast(slab);
            Bytes += row.Length;
        }
        slab!.Put(entry, row.Length);
        Live += row.Length;
        for (var turn = 1; Bytes > Allowed && slabs.Count > 1; turn++) Turn(slab, mayMove: turn < TurnsMax);
    }

    /// <summary>Takes in a copy of a row that stands elsewhere.</summary>
    public void AddCopy(KeyEntry entry, ReadOnlyMemory<byte> row)
    {
        if (row.Length > bytesMax) return;
        var copy = Reserve(row.Length);
        row.CopyTo(copy);
        Add(entry, copy);
    }

    /// <summary>The entry left the tree. Its row stays readable for the views that hold it, but no longer counts.</summary>
    public void Drop(KeyEntry entry)
    {
        entry.Replaced = true;
        if (entry.Slab is not { } slab) return;
        slab.Remove(entry);
        Live -= entry.RowBytes;
    }

    /// <summary>The successor holds the same row.</summary>
    public static void Move(KeyEntry entry, KeyEntry successor)
    {
        entry.Replaced = true;
        entry.Slab?.Hand(entry, successor);
    }

    /// <summary>Empties a slab, but for the one that was just written to.</summary>
    void Turn(RowSlab spared, bool mayMove)
    {
        var crowded = Live > bytesMax * CrowdedShare;
        var victim = crowded ? Oldest(spared) : Emptiest(spared);
        if (victim is null) return;
        slabs.Remove(victim);
        Bytes -= victim.Value.Capacity;
        if (ReferenceEquals(filling, victim.Value)) filling = null;
        foreach (var entry in victim.Value.Entries)
        {
            if (entry is null) continue;
            Live -= entry.RowBytes;
            var row = victim.Value.Leave(entry);
            if (!mayMove || (crowded && !entry.Referenced)) continue;
            entry.Referenced = false;
            MoveOn(entry, row);
        }
    }

    void MoveOn(KeyEntry entry, ReadOnlyMemory<byte> row)
    {
        if (IsLarge(row.Length)) return;
        var copy = Reserve(row.Length);
        row.CopyTo(copy);
        filling!.Put(entry, row.Length);
        Live += row.Length;
    }

    /// <summary>Such a row has a slab of its own, and is never moved.</summary>
    bool IsLarge(int length) => length > slabBytes / 4;

    LinkedListNode<RowSlab>? Oldest(RowSlab spared) =>
        slabs.First is { } first && ReferenceEquals(first.Value, spared) ? first.Next : slabs.First;

    LinkedListNode<RowSlab>? Emptiest(RowSlab spared)
    {
        LinkedListNode<RowSlab>? emptiest = null;
        for (var node = slabs.First; node is not null; node = node.Next)
        {
            if (ReferenceEquals(node.Value, spared)) continue;
            if (emptiest is null || node.Value.LiveShare < emptiest.Value.LiveShare) emptiest = node;
        }
        return emptiest;
    }
}

/// <summary>A piece of memory full of rows, and whose they are. Where a row stands is written in its entry.</summary>
sealed class RowSlab
{
    readonly Memory<byte> bytes;
    readonly List<KeyEntry?> entries = [];
    int used;
    int live;

    public RowSlab(int capacity) => bytes = GC.AllocateUninitializedArray<byte>(capacity);

    /// <summary>For one large row alone.</summary>
    public RowSlab(Memory<byte> row) => (bytes, used) = (row, row.Length);

    public int Capacity => bytes.Length;

    public int Free => bytes.Length - used;

    public double LiveShare => (double)live / bytes.Length;

    /// <summary>In the order in which they came; null for those that left.</summary>
    public IReadOnlyList<KeyEntry?> Entries => entries;

    public Memory<byte> Take(int length)
    {
        used += length;
        return bytes.Slice(used - length, length);
    }

    /// <summary>The row that was taken last belongs to the entry.</summary>
    public void Put(KeyEntry entry, int length)
    {
        entry.RowBytes = length;
        entry.CacheSlot = entries.Count;
        entries.Add(entry);
        live += length;
        entry.StandAt(this, used - length);
    }

    public ReadOnlyMemory<byte> At(int start, int length) => bytes.Slice(start, length);

    public void Remove(KeyEntry entry)
    {
        entries[entry.CacheSlot] = null;
        live -= entry.RowBytes;
        // The entry keeps its row for whoever still holds it; it only counts no more.
    }

    public ReadOnlyMemory<byte> Leave(KeyEntry entry)
    {
        var row = At(entry.RowStart, entry.RowBytes);
        entry.StandNowhere();
        return row;
    }

    public void Hand(KeyEntry entry, KeyEntry successor)
    {
        Invariant.Require(ReferenceEquals(entries[entry.CacheSlot], entry));
        entries[entry.CacheSlot] = successor;
        (successor.RowBytes, successor.CacheSlot, successor.Referenced) = (entry.RowBytes, entry.CacheSlot, entry.Referenced);
        successor.StandAt(this, entry.RowStart);
    }
}
