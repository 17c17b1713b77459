namespace Store.Raft;

/// <summary>The position of an entry in the log; the first entry is 1, zero is "before the log" (Raft §5.3).</summary>
public readonly record struct LogIndex(ulong Value) : IComparable<LogIndex>
{
    public static readonly LogIndex Zero;

    public LogIndex Next => new(Value + 1);

    public int CompareTo(LogIndex other) => Value.CompareTo(other.Value);

    public static LogIndex Min(LogIndex a, LogIndex b) => a < b ? a : b;
    public static LogIndex Max(LogIndex a, LogIndex b) => a > b ? a : b;

    public static LogIndex operator +(LogIndex a, ulong count) => new(a.Value + count);

    /// <summary>The index <paramref name="count"/> before, never below zero.</summary>
    public static LogIndex operator -(LogIndex a, ulong count) => new(a.Value > count ? a.Value - count : 0);

    public static bool operator <(LogIndex a, LogIndex b) => a.Value < b.Value;
    public static bool operator >(LogIndex a, LogIndex b) => a.Value > b.Value;
    public static bool operator <=(LogIndex a, LogIndex b) => a.Value <= b.Value;
    public static bool operator >=(LogIndex a, LogIndex b) => a.Value >= b.Value;

    public override string ToString() => Value.ToString();
}
