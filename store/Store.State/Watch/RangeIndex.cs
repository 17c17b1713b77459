using System.Diagnostics.CodeAnalysis;

namespace Store.State;

/// <summary>
/// Finds what is interested in a key: single keys by hash, ranges by an interval tree. Never enumerated, so the hash's order shows nowhere.
/// Both parts are made when first used, because most streams have one watcher.
/// </summary>
sealed class RangeIndex<T> where T : class
{
    Dictionary<byte[], T>? singles;
    IntervalTree<T>? ranges;

    public T? Find(WatchRange range) => range.IsSingle ? singles?.GetValueOrDefault(range.KeyBytes) : ranges?.Find(range);

    public void Add(WatchRange range, T value)
    {
        if (range.IsSingle) (singles ??= new(1, KeyComparer.Instance)).Add(range.KeyBytes, value);
        else (ranges ??= new()).Add(range, value);
    }

    public void Remove(WatchRange range)
    {
        if (range.IsSingle) singles?.Remove(range.KeyBytes);
        else ranges?.Remove(range);
    }

    public void Match(ReadOnlySpan<byte> key, List<T> found)
    {
        if (singles is { Count: > 0 } && singles.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var single)) found.Add(single);
        ranges?.Match(key, found);
    }

    sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly KeyComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
