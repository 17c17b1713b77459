namespace Store.State;

/// <summary>
/// The keys that a watcher looks at: one key, [key, end), or everything from a key on. As on the wire (contract 1.6): an empty key means the
/// lowest one, a range_end of one zero byte means "no end".
/// </summary>
public sealed class WatchRange : IEquatable<WatchRange>, IComparable<WatchRange>
{
    static readonly byte[] LowestKey = [0];

    readonly byte[] key;

    /// <summary>Null for a single key, empty for a range without end.</summary>
    readonly byte[]? end;

    WatchRange(byte[] key, byte[]? end)
    {
        this.key = key;
        this.end = end;
    }

    public static WatchRange Of(ReadOnlySpan<byte> key, ReadOnlySpan<byte> rangeEnd) =>
        new(key.IsEmpty ? LowestKey : key.ToArray(), rangeEnd switch
        {
            [] => null,
            [0] => [],
            _ => rangeEnd.ToArray(),
        });

    public ReadOnlySpan<byte> Key => key;

    internal byte[] KeyBytes => key;

    public bool IsSingle => end is null;

    /// <summary>Holds for [b, a) and [a, a): such a watcher could never see anything.</summary>
    public bool IsEmpty => end is { Length: > 0 } && key.AsSpan().SequenceCompareTo(end) >= 0;

    public bool Contains(ReadOnlySpan<byte> candidate)
    {
        if (end is null) return candidate.SequenceEqual(key);
        return candidate.SequenceCompareTo(key) >= 0 && EndsBehind(candidate);
    }

    /// <summary>Whether the range's end lies behind the key; only for ranges.</summary>
    internal bool EndsBehind(ReadOnlySpan<byte> candidate) => end is { Length: 0 } || candidate.SequenceCompareTo(end) < 0;

    /// <summary>The one of two ranges that reaches further.</summary>
    internal static WatchRange Furthest(WatchRange a, WatchRange b) => CompareEnds(a.end, b.end) >= 0 ? a : b;

    public int CompareTo(WatchRange? other)
    {
        if (other is null) return 1;
        var byKey = key.AsSpan().SequenceCompareTo(other.key);
        return byKey != 0 ? byKey : CompareEnds(end, other.end);
    }

    public bool Equals(WatchRange? other) => other is not null && CompareTo(other) == 0;

    public override bool Equals(object? obj) => Equals(obj as WatchRange);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(key);
        hash.AddBytes(end ?? key);
        return hash.ToHashCode();
    }

    static int CompareEnds(byte[]? a, byte[]? b) => (a, b) switch
    {
        (null, null) => 0,
        (null, _) => -1,
        (_, null) => 1,
        ({ Length: 0 }, { Length: 0 }) => 0,
        ({ Length: 0 }, _) => 1,
        (_, { Length: 0 }) => -1,
        _ => a.AsSpan().SequenceCompareTo(b),
    };
}
