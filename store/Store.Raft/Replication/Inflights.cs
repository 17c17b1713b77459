namespace Store.Raft;

/// <summary>The append messages on their way to one follower, oldest first, bounded by count and bytes.</summary>
sealed class Inflights(int countMax, long bytesMax)
{
    (LogIndex Last, long Bytes)[] ring = new (LogIndex, long)[Math.Min(countMax, 8)];
    int head;

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    public bool Full => Count == countMax || Bytes >= bytesMax;

    public void Add(LogIndex last, long bytes)
    {
        Invariant.Require(!Full);
        if (Count == ring.Length) Grow();
        ring[(head + Count++) % ring.Length] = (last, bytes);
        Bytes += bytes;
    }

    /// <summary>The follower has everything up to here.</summary>
    public void FreeThrough(LogIndex match)
    {
        while (Count > 0 && ring[head].Last <= match)
        {
            Bytes -= ring[head].Bytes;
            head = (head + 1) % ring.Length;
            Count--;
        }
    }

    public void Clear() => (Count, Bytes) = (0, 0);

    void Grow()
    {
        var ring = new (LogIndex, long)[Math.Min(countMax, this.ring.Length * 2)];
        for (var i = 0; i < Count; i++) ring[i] = this.ring[(head + i) % this.ring.Length];
        (this.ring, head) = (ring, 0);
    }
}
