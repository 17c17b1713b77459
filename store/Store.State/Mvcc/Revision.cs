namespace Store.State;

/// <summary>The store's logical time: each transaction that writes makes the next one. A new store stands at 1; the first write is 2.</summary>
public readonly record struct Revision(long Value) : IComparable<Revision>
{
    public static readonly Revision None;
    public static readonly Revision Initial = new(1);

    public Revision Next => new(Value + 1);

    public int CompareTo(Revision other) => Value.CompareTo(other.Value);

    public static bool operator <(Revision a, Revision b) => a.Value < b.Value;
    public static bool operator >(Revision a, Revision b) => a.Value > b.Value;
    public static bool operator <=(Revision a, Revision b) => a.Value <= b.Value;
    public static bool operator >=(Revision a, Revision b) => a.Value >= b.Value;

    public override string ToString() => Value.ToString();
}

/// <summary>One change within a revision: a transaction of three puts makes (7,0), (7,1) and (7,2). The row key of the event log.</summary>
public readonly record struct RowId(Revision Main, int Sub) : IComparable<RowId>
{
    public static readonly RowId None;

    public bool IsNone => Main.Value == 0;

    public int CompareTo(RowId other) => Main == other.Main ? Sub.CompareTo(other.Sub) : Main.CompareTo(other.Main);
}
