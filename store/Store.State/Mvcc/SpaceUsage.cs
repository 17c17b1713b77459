namespace Store.State;

/// <summary>
/// The bytes that the quota counts, the same on every member whatever its compaction has physically done by now.
/// </summary>
/// <remarks>
/// Every put counts 256 + key + value (contract 1.4), a tombstone nothing. Two sums only ever rise: all that was put, and all that was superseded by a
/// later change. What was superseded up to the compacted revision is gone, so live = put - superseded(compacted). Each row carries the second sum as
/// of before it: compaction at C finds superseded(C) in the first row of C + 1 and needs no walk.
/// </remarks>
readonly record struct SpaceUsage(long PutBytes, long SupersededBytes, long CompactedBytes)
{
    const int RowCost = 256;

    public long Live => PutBytes - CompactedBytes;

    public static int CostOf(int keyBytes, int valueBytes) => RowCost + keyBytes + valueBytes;
}
