namespace Store.State;

/// <summary>Writes that take effect together, in the order they were added.</summary>
public sealed class EngineBatch
{
    readonly List<Operation> operations = [];

    public IReadOnlyList<Operation> Operations => operations;

    public long SizeBytes { get; private set; }

    /// <param name="value">Not changed until <see cref="Clear"/>.</param>
    public void Put(Table table, byte[] key, ReadOnlyMemory<byte> value)
    {
        operations.Add(new(table, key, value, null));
        SizeBytes += key.Length + value.Length;
    }

    public void Delete(Table table, byte[] key)
    {
        operations.Add(new(table, key, null, null));
        SizeBytes += key.Length;
    }

    /// <summary>Deletes from &lt;= key &lt; to. The end must not lie below the start: engines differ on what that would mean.</summary>
    public void DeleteRange(Table table, byte[] from, byte[] to)
    {
        Raft.Invariant.Require(from.AsSpan().SequenceCompareTo(to) <= 0);
        operations.Add(new(table, from, null, to));
        SizeBytes += from.Length + to.Length;
    }

    public void Clear()
    {
        operations.Clear();
        SizeBytes = 0;
    }

    /// <param name="Value">Null deletes.</param>
    /// <param name="RangeEnd">Set for a range deletion.</param>
    public readonly record struct Operation(Table Table, byte[] Key, ReadOnlyMemory<byte>? Value, byte[]? RangeEnd);
}
