namespace Store.State;

/// <summary>Keys as requests name them: one key, [from, to), or everything from a key on (range end "\0").</summary>
readonly ref struct KeyRange
{
    public readonly ReadOnlySpan<byte> From;
    public readonly ReadOnlySpan<byte> To;
    public readonly bool IsSingle;
    public readonly bool IsUnbounded;

    public KeyRange(ReadOnlySpan<byte> key, ReadOnlySpan<byte> rangeEnd)
    {
        From = key;
        To = rangeEnd;
        IsSingle = rangeEnd.IsEmpty;
        IsUnbounded = rangeEnd.Length == 1 && rangeEnd[0] == 0;
    }

    public bool IsEmpty => !IsSingle && !IsUnbounded && From.SequenceCompareTo(To) >= 0;

    public bool Contains(ReadOnlySpan<byte> key) =>
        IsSingle
            ? key.SequenceEqual(From)
            : key.SequenceCompareTo(From) >= 0 && (IsUnbounded || key.SequenceCompareTo(To) < 0);
}
