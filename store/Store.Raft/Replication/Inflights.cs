namespace Store.Raft;

/// <summary>The append messages on their way to one follower, oldest first, bounded by count and bytes.</summary>
internal sealed class Inflights(int countMax, long bytesMax)
{
    private (LogIndex Last, long Bytes)[] _ring = new (LogIndex, long)[Math.Min(countMax, 8)];
    private int _head;

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    public bool Full => Count == countMax || Bytes >= bytesMax;

    public void Add(LogIndex last, long bytes)
    {
        Invariant.Require(!Full);
        if (Count == _ring.Length) Grow();
        _ring[(_head + Count++) % _ring.Length] = (last, bytes);
        Bytes += bytes;
    }

    /// <summary>The follower has everything up to here.</summary>
    public void FreeThrough(LogIndex match)
    {
        while (Count > 0 && _ring[_head].Last <= match)
        {
            Bytes -= _ring[_head].Bytes;
            _head = (_head + 1) % _ring.Length;
            Count--;
        }
    }

    public void Clear() => (Count, Bytes) = (0, 0);

    private void Grow()
    {
        var ring = new (LogIndex, long)[Math.Min(countMax, _ring.Length * 2)];
        for (var i = 0; i < Count; i++) ring[i] = _ring[(_head + i) % _ring.Length];
        (_ring, _head) = (ring, 0);
    }
}
