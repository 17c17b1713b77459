namespace Store.State;

/// <summary>
/// Keeps the newest encoded rows up to a byte budget, by the clock algorithm: a hand goes round the cached entries, spares those read since its last
/// visit, and empties the others' <see cref="KeyEntry.Row"/>. Owned by the writer. Readers only mark entries and fall back to the engine.
/// </summary>
sealed class ValueCache(long bytesMax)
{
    /// <summary>What a cached row costs beside its bytes: the array's header and its slot here.</summary>
    const int Overhead = 32;

    readonly Stack<int> free = new();
    KeyEntry?[] slots = new KeyEntry?[256];
    int used;
    int hand;

    public long Bytes { get; private set; }

    public void Add(KeyEntry entry, byte[] row)
    {
        if (row.Length + Overhead > bytesMax) return;
        entry.Row = row;
        if (!free.TryPop(out var slot))
        {
            if (used == slots.Length) Array.Resize(ref slots, used * 2);
            slot = used++;
        }
        slots[slot] = entry;
        entry.CacheSlot = slot;
        Bytes += row.Length + Overhead;
        while (Bytes > bytesMax) Turn(spared: entry);
    }

    /// <summary>The entry left the tree. Its row stays readable for the views that hold it, but no longer counts.</summary>
    public void Drop(KeyEntry entry)
    {
        entry.Replaced = true;
        if (entry.CacheSlot >= 0) Release(entry);
    }

    /// <summary>The successor holds the same row.</summary>
    public void Move(KeyEntry entry, KeyEntry successor)
    {
        entry.Replaced = true;
        if (entry.CacheSlot < 0) return;
        successor.Row = entry.Row;
        successor.CacheSlot = entry.CacheSlot;
        successor.Referenced = entry.Referenced;
        slots[entry.CacheSlot] = successor;
        entry.CacheSlot = -1;
    }

    void Turn(KeyEntry spared)
    {
        if (hand >= used) hand = 0;
        var entry = slots[hand++];
        if (entry is null || ReferenceEquals(entry, spared)) return;
        if (entry.Referenced)
        {
            entry.Referenced = false;
            return;
        }
        Release(entry);
        entry.Row = null;
    }

    void Release(KeyEntry entry)
    {
        Bytes -= entry.Row!.Length + Overhead;
        slots[entry.CacheSlot] = null;
        free.Push(entry.CacheSlot);
        entry.CacheSlot = -1;
    }
}
