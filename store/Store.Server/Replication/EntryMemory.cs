namespace Store.Server;

/// <summary>
/// Memory for what becomes data of the log's entries. The log keeps its last entries in memory, some seconds of writes: as arrays of their own nearly all of them outlived a collection, which moves
/// each by itself while everything waits (of 5.5 MiB moved at 2,000 puts of 1 KiB a second, 4.4 were theirs). They stand one behind the other in slabs that the collector does not move, as rows do in
/// the cache of values. A slab is never used again: whoever holds a piece of it may hold it for as long as he likes, and the collector finds out when nobody does.
/// </summary>
static class EntryMemory
{
    /// <summary>More than the collector moves (85,000 bytes).</summary>
    const int SlabBytes = 256 << 10;

    /// <summary>Anything larger would leave too much of a slab unused, and is one object to move at least.</summary>
    internal const int LargestBytes = SlabBytes / 4;

    static readonly Lock Gate = new();
    static Slab filling = new();

    /// <summary>So many bytes, of unspecified content, nobody else's. From any thread.</summary>
    public static Memory<byte> Take(int length)
    {
        if (length > LargestBytes) return GC.AllocateUninitializedArray<byte>(length);
        while (true)
        {
            var slab = Volatile.Read(ref filling);
            if (slab.TryTake(length, out var taken)) return taken;
            lock (Gate)
            {
                if (filling == slab) Volatile.Write(ref filling, new());
            }
        }
    }

    sealed class Slab
    {
        readonly byte[] bytes = GC.AllocateUninitializedArray<byte>(SlabBytes);
        int used;

        /// <summary>False when it is full.</summary>
        public bool TryTake(int length, out Memory<byte> taken)
        {
            // Full is full for everybody, also for a smaller one that would have fitted: each thread comes here once more at most.
            var end = Interlocked.Add(ref used, length);
            taken = end <= SlabBytes ? bytes.AsMemory(end - length, length) : default;
            return end <= SlabBytes;
        }
    }
}
