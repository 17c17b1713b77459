using Store.Protocol.Etcdserverpb;
using CompareResult = Store.Protocol.Etcdserverpb.Compare.Types.CompareResult;
using CompareTarget = Store.Protocol.Etcdserverpb.Compare.Types.CompareTarget;

namespace Store.State;

/// <summary>
/// One guard of a transaction. With a range end every key of the range must satisfy it. A key that is not there has zero for all its numbers, and no
/// value that could compare to anything, not even as "not equal".
/// </summary>
static class TxnCompare
{
    /// <summary>Null when the row was deleted by compaction under the reader.</summary>
    public static bool? Holds(RangeReader reader, Compare compare)
    {
        var range = new KeyRange(compare.Key.Span, compare.RangeEnd.Span);
        if (range.IsSingle) return Holds(reader, compare, IndexReader.Find(reader.Root, range.From) is { Tombstone: false } entry ? entry : null);
        var entries = reader.LiveEntries(range);
        if (entries.Count == 0) return Holds(reader, compare, null);
        foreach (var each in entries)
            if (Holds(reader, compare, each) is not true and var result) return result;
        return true;
    }

    static bool? Holds(RangeReader reader, Compare compare, KeyEntry? entry)
    {
        if (compare.Target == CompareTarget.Value) return HoldsValue(reader, compare, entry);
        var (actual, wanted) = compare.Target switch
        {
            CompareTarget.Version => (entry?.Version ?? 0, compare.Version),
            CompareTarget.Create => (entry?.Create ?? 0, compare.CreateRevision),
            CompareTarget.Mod => (entry?.Main ?? 0, compare.ModRevision),
            CompareTarget.Lease => (entry?.Lease ?? 0, compare.Lease),
            _ => (0, 0),
        };
        return Satisfies(compare.Result, actual.CompareTo(wanted));
    }

    static bool? HoldsValue(RangeReader reader, Compare compare, KeyEntry? entry)
    {
        if (entry is null) return false;
        if (reader.Rows.Load(entry) is not { } row) return null;
        return Satisfies(compare.Result, Row.Fields(row.Span).Value.SequenceCompareTo(compare.Value.Span));
    }

    static bool Satisfies(CompareResult wanted, int order) => wanted switch
    {
        CompareResult.Equal => order == 0,
        CompareResult.NotEqual => order != 0,
        CompareResult.Greater => order > 0,
        CompareResult.Less => order < 0,
        _ => true,
    };
}
