namespace Store.State;

/// <summary>
/// A node of the <see cref="KeyIndex"/>. It is changed in place only in the edit epoch in which it was made; once a view is published a new epoch
/// begins and the node is frozen.
/// </summary>
abstract class IndexNode(long epoch)
{
    /// <summary>Small enough that copying a path for each put is cheap, large enough that 300,000 keys stand four levels deep.</summary>
    public const int Capacity = 32;

    public readonly long Epoch = epoch;

    /// <summary>Slots in use.</summary>
    public int Count;

    /// <summary>Keys below that are not deleted, at the newest revision.</summary>
    public int Live;

    /// <summary>No change below is newer. So for a read at this revision or later, <see cref="Live"/> is the count then, too.</summary>
    public long MaxMod;

    public abstract ReadOnlySpan<byte> FirstKey { get; }

    /// <summary>True when nothing below can be seen at the revision.</summary>
    public bool IsVoidAt(long revision) => Live == 0 && MaxMod <= revision;

    public abstract IndexNode Editable(long epoch);

    /// <summary>Moves the upper part, from the slot on, to a new node.</summary>
    public abstract IndexNode SplitAt(int slot);

    /// <summary>Takes over all slots of the right neighbour.</summary>
    public abstract void Append(IndexNode right);

    protected abstract void Recount();

    protected static void Summed(IndexNode left, IndexNode right)
    {
        left.Recount();
        right.Recount();
    }
}

sealed class LeafNode(long epoch) : IndexNode(epoch)
{
    public KeyEntry[] Entries = new KeyEntry[Capacity];

    public override ReadOnlySpan<byte> FirstKey => Entries[0].Key;

    /// <summary>The slot of the first entry whose key is not below; found when it is that key.</summary>
    public int LowerBound(ReadOnlySpan<byte> key, out bool found)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var order = Entries[middle].Key.AsSpan().SequenceCompareTo(key);
            if (order == 0)
            {
                found = true;
                return middle;
            }
            if (order < 0) low = middle + 1;
            else high = middle;
        }
        found = false;
        return low;
    }

    public void Insert(int slot, KeyEntry entry)
    {
        Array.Copy(Entries, slot, Entries, slot + 1, Count - slot);
        Entries[slot] = entry;
        Count++;
        if (!entry.Tombstone) Live++;
        MaxMod = Math.Max(MaxMod, entry.Main);
    }

    public void Replace(int slot, KeyEntry entry)
    {
        Live += (entry.Tombstone ? 0 : 1) - (Entries[slot].Tombstone ? 0 : 1);
        Entries[slot] = entry;
        MaxMod = Math.Max(MaxMod, entry.Main);
    }

    public void RemoveAt(int slot)
    {
        if (!Entries[slot].Tombstone) Live--;
        Count--;
        Array.Copy(Entries, slot + 1, Entries, slot, Count - slot);
        Entries[Count] = null!;
    }

    public override IndexNode Editable(long epoch)
    {
        if (Epoch == epoch) return this;
        var copy = new LeafNode(epoch) { Count = Count, Live = Live, MaxMod = MaxMod };
        Array.Copy(Entries, copy.Entries, Count);
        return copy;
    }

    public override IndexNode SplitAt(int slot)
    {
        var right = new LeafNode(Epoch) { Count = Count - slot };
        Array.Copy(Entries, slot, right.Entries, 0, right.Count);
        Array.Clear(Entries, slot, right.Count);
        Count = slot;
        Summed(this, right);
        return right;
    }

    public override void Append(IndexNode right)
    {
        Array.Copy(((LeafNode)right).Entries, 0, Entries, Count, right.Count);
        Count += right.Count;
        Recount();
    }

    protected override void Recount()
    {
        Live = 0;
        MaxMod = 0;
        for (var slot = 0; slot < Count; slot++)
        {
            if (!Entries[slot].Tombstone) Live++;
            MaxMod = Math.Max(MaxMod, Entries[slot].Main);
        }
    }
}

sealed class InnerNode(long epoch) : IndexNode(epoch)
{
    /// <summary>Separators: all keys of the child are at or above, all of the child before are below. The first is never compared.</summary>
    public byte[][] Keys = new byte[Capacity][];

    public IndexNode[] Children = new IndexNode[Capacity];

    public override ReadOnlySpan<byte> FirstKey => Children[0].FirstKey;

    /// <summary>The slot of the child that holds the key if any does.</summary>
    public int ChildSlot(ReadOnlySpan<byte> key)
    {
        int low = 1, high = Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Keys[middle].AsSpan().SequenceCompareTo(key) <= 0) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }

    public void Insert(int slot, byte[] key, IndexNode child)
    {
        Array.Copy(Keys, slot, Keys, slot + 1, Count - slot);
        Array.Copy(Children, slot, Children, slot + 1, Count - slot);
        Keys[slot] = key;
        Children[slot] = child;
        Count++;
    }

    public void RemoveAt(int slot)
    {
        Count--;
        Array.Copy(Keys, slot + 1, Keys, slot, Count - slot);
        Array.Copy(Children, slot + 1, Children, slot, Count - slot);
        Keys[Count] = null!;
        Children[Count] = null!;
    }

    public override IndexNode Editable(long epoch)
    {
        if (Epoch == epoch) return this;
        var copy = new InnerNode(epoch) { Count = Count, Live = Live, MaxMod = MaxMod };
        Array.Copy(Keys, copy.Keys, Count);
        Array.Copy(Children, copy.Children, Count);
        return copy;
    }

    public override IndexNode SplitAt(int slot)
    {
        var right = new InnerNode(Epoch) { Count = Count - slot };
        Array.Copy(Keys, slot, right.Keys, 0, right.Count);
        Array.Copy(Children, slot, right.Children, 0, right.Count);
        Array.Clear(Keys, slot, right.Count);
        Array.Clear(Children, slot, right.Count);
        Count = slot;
        Summed(this, right);
        return right;
    }

    public override void Append(IndexNode right)
    {
        var inner = (InnerNode)right;
        Array.Copy(inner.Keys, 0, Keys, Count, inner.Count);
        Array.Copy(inner.Children, 0, Children, Count, inner.Count);
        Count += inner.Count;
        Recount();
    }

    protected override void Recount()
    {
        Live = 0;
        MaxMod = 0;
        for (var slot = 0; slot < Count; slot++)
        {
            Live += Children[slot].Live;
            MaxMod = Math.Max(MaxMod, Children[slot].MaxMod);
        }
    }

    /// <summary>After a change below: what the children say now.</summary>
    public void Refresh() => Recount();
}
