namespace Store.Raft;

/// <summary>A Raft term: a logical clock that counts elections (Raft §5.1). Zero is before the first election.</summary>
public readonly record struct Term(ulong Value) : IComparable<Term>
{
    public static readonly Term Zero;

    public Term Next => new(Value + 1);

    public int CompareTo(Term other) => Value.CompareTo(other.Value);

    public static Term Max(Term a, Term b) => a > b ? a : b;

    public static bool operator <(Term a, Term b) => a.Value < b.Value;
    public static bool operator >(Term a, Term b) => a.Value > b.Value;
    public static bool operator <=(Term a, Term b) => a.Value <= b.Value;
    public static bool operator >=(Term a, Term b) => a.Value >= b.Value;

    public override string ToString() => Value.ToString();
}
