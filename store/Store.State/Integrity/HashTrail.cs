using Store.Raft;

namespace Store.State;

/// <summary>The running hash after each of the newest entries. Members are seldom equally far: whoever is asked finds here what it was where the other stood.</summary>
sealed class HashTrail
{
    const int Length = 1024;

    readonly ulong[] hashes = new ulong[Length];
    LogIndex oldest;
    LogIndex newest;

    /// <summary>Indexes follow each other; the first may be any.</summary>
    public void Add(LogIndex index, ulong hash)
    {
        if (index != newest.Next || newest == LogIndex.Zero) oldest = index;
        newest = index;
        if (newest.Value - oldest.Value >= Length) oldest = oldest.Next;
        hashes[index.Value % Length] = hash;
    }

    public ulong? At(LogIndex index) => index >= oldest && index <= newest ? hashes[index.Value % Length] : null;
}
