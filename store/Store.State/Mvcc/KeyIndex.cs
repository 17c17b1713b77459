namespace Store.State;

/// <summary>
/// The keys in order: a counted B+tree, copied on write. One writer edits <see cref="Root"/>; <see cref="Freeze"/> hands out a root that never
/// changes again, which any number of readers may walk (<see cref="IndexReader"/>) while the writer goes on.
/// </summary>
/// <remarks>
/// Example: a batch of ten puts under one leaf copies the path to that leaf once, since the copies carry the running epoch and take the other nine
/// in place. The next batch copies again, because a view may hold the first copies.
/// </remarks>
sealed class KeyIndex
{
    const int Sparse = IndexNode.Capacity / 4;
    const int Merged = IndexNode.Capacity * 3 / 4;

    long epoch = 1;

    public IndexNode Root { get; private set; } = new LeafNode(1);

    public IndexNode Freeze()
    {
        epoch++;
        return Root;
    }

    public KeyEntry? Find(ReadOnlySpan<byte> key) => IndexReader.Find(Root, key);

    /// <summary>Inserts the entry or replaces the one of the same key.</summary>
    public void Set(KeyEntry entry)
    {
        Root = Set(Root, entry, out var right);
        if (right is null) return;
        var root = new InnerNode(epoch);
        root.Insert(0, Root.FirstKey.ToArray(), Root);
        root.Insert(1, SeparatorOf(right), right);
        root.Refresh();
        Root = root;
    }

    public void Remove(byte[] key)
    {
        Root = Remove(Root, key);
        while (Root is InnerNode { Count: 1 } inner) Root = inner.Children[0];
        if (Root is InnerNode { Count: 0 }) Root = new LeafNode(epoch);
    }

    IndexNode Set(IndexNode node, KeyEntry entry, out IndexNode? right) =>
        node is LeafNode leaf ? SetInLeaf((LeafNode)leaf.Editable(epoch), entry, out right) : SetInInner((InnerNode)node.Editable(epoch), entry, out right);

    static LeafNode SetInLeaf(LeafNode leaf, KeyEntry entry, out IndexNode? right)
    {
        right = null;
        var slot = leaf.LowerBound(entry.Key, out var found);
        if (found) leaf.Replace(slot, entry);
        else if (leaf.Count < IndexNode.Capacity) leaf.Insert(slot, entry);
        else
        {
            // Keys that come in order leave full leaves behind; others split in the middle.
            var at = slot == leaf.Count ? leaf.Count - 1 : leaf.Count / 2;
            right = leaf.SplitAt(at);
            if (slot <= at) leaf.Insert(slot, entry);
            else ((LeafNode)right).Insert(slot - at, entry);
        }
        return leaf;
    }

    InnerNode SetInInner(InnerNode inner, KeyEntry entry, out IndexNode? right)
    {
        right = null;
        var slot = inner.ChildSlot(entry.Key);
        var liveBefore = inner.Children[slot].Live;
        var child = Set(inner.Children[slot], entry, out var split);
        inner.Children[slot] = child;
        inner.Live += child.Live + (split?.Live ?? 0) - liveBefore;
        inner.MaxMod = Math.Max(inner.MaxMod, entry.Main);
        if (split is null) return inner;
        if (inner.Count < IndexNode.Capacity) inner.Insert(slot + 1, SeparatorOf(split), split);
        else
        {
            var at = slot + 1 == inner.Count ? inner.Count - 1 : inner.Count / 2;
            right = inner.SplitAt(at);
            var target = slot + 1 <= at ? inner : (InnerNode)right;
            target.Insert(slot + 1 <= at ? slot + 1 : slot + 1 - at, SeparatorOf(split), split);
            target.Refresh();
        }
        return inner;
    }

    IndexNode Remove(IndexNode node, byte[] key)
    {
        if (node is LeafNode leaf)
        {
            var at = leaf.LowerBound(key, out var found);
            if (!found) return node;
            leaf = (LeafNode)leaf.Editable(epoch);
            leaf.RemoveAt(at);
            return leaf;
        }
        var inner = (InnerNode)node.Editable(epoch);
        var slot = inner.ChildSlot(key);
        inner.Children[slot] = Remove(inner.Children[slot], key);
        if (inner.Children[slot].Count == 0) inner.RemoveAt(slot);
        else if (inner.Children[slot].Count < Sparse) MergeWithNeighbour(inner, slot);
        inner.Refresh();
        return inner;
    }

    void MergeWithNeighbour(InnerNode inner, int slot)
    {
        if (slot + 1 == inner.Count) slot--;
        if (slot < 0) return;
        var (left, right) = (inner.Children[slot], inner.Children[slot + 1]);
        if (left.Count + right.Count > Merged) return;
        left = left.Editable(epoch);
        // The separator of the right node stands for its first child, whose own first separator was never compared.
        if (right is InnerNode rightInner)
        {
            rightInner = (InnerNode)rightInner.Editable(epoch);
            rightInner.Keys[0] = inner.Keys[slot + 1];
            right = rightInner;
        }
        left.Append(right);
        inner.Children[slot] = left;
        inner.RemoveAt(slot + 1);
    }

    /// <summary>Leaves share the key's own array; it is never changed.</summary>
    static byte[] SeparatorOf(IndexNode node)
    {
        while (node is InnerNode inner) node = inner.Children[0];
        return ((LeafNode)node).Entries[0].Key;
    }
}
