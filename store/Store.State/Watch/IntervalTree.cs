namespace Store.State;

/// <summary>
/// Ranges ordered by their start in an AVL tree whose nodes know how far their subtree reaches, so that the ranges around a key are found in
/// O(log n + found). For [a,f) [b,c) [d,z), asked for "e": the left subtree of [b,c) is entered because [a,f) reaches behind e, [b,c) itself is not taken.
/// </summary>
sealed class IntervalTree<T> where T : class
{
    Node? root;

    public T? Find(WatchRange range)
    {
        var node = root;
        while (node is not null)
        {
            var order = range.CompareTo(node.Range);
            if (order == 0) return node.Value;
            node = order < 0 ? node.Left : node.Right;
        }
        return null;
    }

    public void Add(WatchRange range, T value) => root = Insert(root, range, value);

    public void Remove(WatchRange range) => root = Delete(root, range);

    /// <summary>Adds the values of all ranges that hold the key, in the order of the ranges.</summary>
    public void Match(ReadOnlySpan<byte> key, List<T> found) => Stab(root, key, found);

    static void Stab(Node? node, ReadOnlySpan<byte> key, List<T> found)
    {
        while (node is not null && node.Furthest.EndsBehind(key))
        {
            Stab(node.Left, key, found);
            if (node.Range.Key.SequenceCompareTo(key) > 0) return;
            if (node.Range.EndsBehind(key)) found.Add(node.Value);
            node = node.Right;
        }
    }

    static Node Insert(Node? node, WatchRange range, T value)
    {
        if (node is null) return new(range, value);
        var order = range.CompareTo(node.Range);
        Store.Raft.Invariant.Require(order != 0);
        if (order < 0) node.Left = Insert(node.Left, range, value);
        else node.Right = Insert(node.Right, range, value);
        return Balance(node);
    }

    static Node? Delete(Node? node, WatchRange range)
    {
        if (node is null) return null;
        var order = range.CompareTo(node.Range);
        if (order < 0) node.Left = Delete(node.Left, range);
        else if (order > 0) node.Right = Delete(node.Right, range);
        else if (node.Left is null) return node.Right;
        else if (node.Right is null) return node.Left;
        else
        {
            var successor = node.Right;
            while (successor.Left is not null) successor = successor.Left;
            var rest = Delete(node.Right, successor.Range);
            successor.Left = node.Left;
            successor.Right = rest;
            node = successor;
        }
        return Balance(node);
    }

    static Node Balance(Node node)
    {
        node.Update();
        var tilt = Height(node.Left) - Height(node.Right);
        if (tilt > 1)
        {
            if (Height(node.Left!.Left) < Height(node.Left.Right)) node.Left = RotateLeft(node.Left);
            return RotateRight(node);
        }
        if (tilt < -1)
        {
            if (Height(node.Right!.Right) < Height(node.Right.Left)) node.Right = RotateRight(node.Right);
            return RotateLeft(node);
        }
        return node;
    }

    static Node RotateRight(Node node)
    {
        var top = node.Left!;
        node.Left = top.Right;
        top.Right = node;
        node.Update();
        top.Update();
        return top;
    }

    static Node RotateLeft(Node node)
    {
        var top = node.Right!;
        node.Right = top.Left;
        top.Left = node;
        node.Update();
        top.Update();
        return top;
    }

    static int Height(Node? node) => node?.Height ?? 0;

    sealed class Node(WatchRange range, T value)
    {
        public readonly WatchRange Range = range;
        public readonly T Value = value;
        public Node? Left, Right;
        public int Height = 1;

        /// <summary>The range of this subtree that ends last.</summary>
        public WatchRange Furthest = range;

        public void Update()
        {
            Height = 1 + Math.Max(IntervalTree<T>.Height(Left), IntervalTree<T>.Height(Right));
            Furthest = Range;
            if (Left is not null) Furthest = WatchRange.Furthest(Furthest, Left.Furthest);
            if (Right is not null) Furthest = WatchRange.Furthest(Furthest, Right.Furthest);
        }
    }
}
