namespace Store.State;

/// <summary>
/// A set of keys as disjoint ranges in order, so that many permissions are asked at once: [a,c) and [c,f) are one range [a,f), and a read of [b,d) is
/// covered though neither permission covers it alone.
/// </summary>
sealed class KeyRanges
{
    /// <summary>From the first byte string to before the second; null has no end.</summary>
    readonly (byte[] From, byte[]? To)[] ranges;

    KeyRanges((byte[] From, byte[]? To)[] ranges) => this.ranges = ranges;

    /// <summary>Keys and range ends as on the wire; ranges that hold nothing are left out.</summary>
    public static KeyRanges Of(IEnumerable<RangePermission> permissions)
    {
        var sorted = permissions.Select(each => (From: each.Key.ToByteArray(), To: EndOf(each.Key.Span, each.RangeEnd.Span)))
            .Where(range => range.To is null || Compare(range.From, range.To) < 0).ToList();
        sorted.Sort((a, b) => Compare(a.From, b.From));
        var merged = new List<(byte[] From, byte[]? To)>(sorted.Count);
        foreach (var range in sorted)
        {
            if (merged.Count > 0 && (merged[^1].To is not { } end || Compare(range.From, end) <= 0)) merged[^1] = (merged[^1].From, Further(merged[^1].To, range.To));
            else merged.Add(range);
        }
        return new([.. merged]);
    }

    /// <summary>Whether every key of the range, given as on the wire, is in the set. Of a range without keys, such as [b,a), its start must be.</summary>
    public bool Cover(ReadOnlySpan<byte> key, ReadOnlySpan<byte> rangeEnd)
    {
        var (low, high) = (0, ranges.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Compare(ranges[middle].From, key) <= 0) low = middle + 1;
            else high = middle;
        }
        if (low == 0) return false;
        var to = ranges[low - 1].To;
        if (to is null) return true;
        if (Compare(key, to) >= 0 || rangeEnd is [0]) return false;
        return rangeEnd.IsEmpty || Compare(rangeEnd, to) <= 0;
    }

    static byte[]? EndOf(ReadOnlySpan<byte> key, ReadOnlySpan<byte> rangeEnd) => rangeEnd switch
    {
        [] => [.. key, 0],
        [0] => null,
        _ => rangeEnd.ToArray(),
    };

    static byte[]? Further(byte[]? a, byte[]? b) => a is null || b is null ? null : Compare(a, b) >= 0 ? a : b;

    static int Compare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => a.SequenceCompareTo(b);
}
