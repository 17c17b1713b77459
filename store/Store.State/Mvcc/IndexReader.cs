namespace Store.State;

/// <summary>What a walk does with each key it meets; false ends the walk.</summary>
interface IEntryVisitor
{
    bool Visit(KeyEntry entry);
}

/// <summary>Reads a frozen tree, or the writer's own. Needs no lock.</summary>
static class IndexReader
{
    public static KeyEntry? Find(IndexNode node, ReadOnlySpan<byte> key)
    {
        while (node is InnerNode inner) node = inner.Children[inner.ChildSlot(key)];
        var leaf = (LeafNode)node;
        var slot = leaf.LowerBound(key, out var found);
        return found ? leaf.Entries[slot] : null;
    }

    /// <summary>Keys of the range that existed at the revision; O(log n) where nothing has changed since.</summary>
    public static long Count(IndexNode root, KeyRange range, long revision)
    {
        if (range.IsEmpty) return 0;
        if (range.IsSingle) return Find(root, range.From) is { } entry && entry.TryAt(revision, out _) ? 1 : 0;
        return Count(root, range, revision, isFirst: true, isLast: !range.IsUnbounded);
    }

    /// <summary>Shows the visitor every key of the range that may exist at the revision, in order or in reverse.</summary>
    public static void Walk<TVisitor>(IndexNode root, KeyRange range, long revision, bool descending, ref TVisitor visitor)
        where TVisitor : struct, IEntryVisitor, allows ref struct
    {
        if (range.IsEmpty) return;
        if (range.IsSingle)
        {
            if (Find(root, range.From) is { } entry) visitor.Visit(entry);
            return;
        }
        _ = descending
            ? Descend(root, range, revision, isFirst: true, isLast: !range.IsUnbounded, ref visitor)
            : Ascend(root, range, revision, isFirst: true, isLast: !range.IsUnbounded, ref visitor);
    }

    /// <param name="isFirst">The range's lower end lies in or below this node.</param>
    /// <param name="isLast">The range's upper end lies in or above this node.</param>
    static long Count(IndexNode node, KeyRange range, long revision, bool isFirst, bool isLast)
    {
        if (node.MaxMod <= revision && (node.Live == 0 || (!isFirst && !isLast))) return node.Live;
        var (from, to) = Slots(node, range, isFirst, isLast);
        long count = 0;
        if (node is InnerNode inner)
        {
            for (var slot = from; slot <= to; slot++)
                count += Count(inner.Children[slot], range, revision, isFirst && slot == from, isLast && slot == to);
            return count;
        }
        var entries = ((LeafNode)node).Entries;
        for (var slot = from; slot <= to; slot++)
            if (entries[slot].TryAt(revision, out _)) count++;
        return count;
    }

    static bool Ascend<TVisitor>(IndexNode node, KeyRange range, long revision, bool isFirst, bool isLast, ref TVisitor visitor)
        where TVisitor : struct, IEntryVisitor, allows ref struct
    {
        if (node.IsVoidAt(revision)) return true;
        var (from, to) = Slots(node, range, isFirst, isLast);
        if (node is InnerNode inner)
        {
            for (var slot = from; slot <= to; slot++)
                if (!Ascend(inner.Children[slot], range, revision, isFirst && slot == from, isLast && slot == to, ref visitor)) return false;
            return true;
        }
        var entries = ((LeafNode)node).Entries;
        for (var slot = from; slot <= to; slot++)
            if (!visitor.Visit(entries[slot])) return false;
        return true;
    }

    static bool Descend<TVisitor>(IndexNode node, KeyRange range, long revision, bool isFirst, bool isLast, ref TVisitor visitor)
        where TVisitor : struct, IEntryVisitor, allows ref struct
    {
        if (node.IsVoidAt(revision)) return true;
        var (from, to) = Slots(node, range, isFirst, isLast);
        if (node is InnerNode inner)
        {
            for (var slot = to; slot >= from; slot--)
                if (!Descend(inner.Children[slot], range, revision, isFirst && slot == from, isLast && slot == to, ref visitor)) return false;
            return true;
        }
        var entries = ((LeafNode)node).Entries;
        for (var slot = to; slot >= from; slot--)
            if (!visitor.Visit(entries[slot])) return false;
        return true;
    }

    /// <summary>The slots, first and last, that the range touches.</summary>
    static (int From, int To) Slots(IndexNode node, KeyRange range, bool isFirst, bool isLast)
    {
        if (node is InnerNode inner)
            return (isFirst ? inner.ChildSlot(range.From) : 0, isLast ? inner.ChildSlot(range.To) : inner.Count - 1);
        var leaf = (LeafNode)node;
        return (isFirst ? leaf.LowerBound(range.From, out _) : 0, (isLast ? leaf.LowerBound(range.To, out _) : leaf.Count) - 1);
    }
}
