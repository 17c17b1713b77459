using System.Collections.Immutable;
using Store.Raft;

namespace Store.State;

/// <summary>
/// The engine of the simulator and of tests: everything in managed memory, in immutable sets, so that a snapshot is a reference. It forgets like a
/// disk: <see cref="Crash"/> loses the newest batches that were not flushed, whole ones only.
/// </summary>
public sealed class MemoryEngine : IKeyValueEngine
{
    static readonly IComparer<EngineRow> ByKey = Comparer<EngineRow>.Create((a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
    static readonly ImmutableSortedSet<EngineRow> Nothing = ImmutableSortedSet.Create(ByKey);

    readonly bool forgets;
    readonly List<Content> unflushed = [];
    Content content;
    Content flushed;

    /// <param name="forgets">False: each write counts as flushed at once and nothing is kept for <see cref="Crash"/>.</param>
    public MemoryEngine(bool forgets = true)
        : this(forgets, new(Nothing, Nothing, 0))
    {
    }

    MemoryEngine(bool forgets, Content content)
    {
        this.forgets = forgets;
        this.content = content;
        flushed = content;
    }

    /// <summary>Batches that a crash may lose.</summary>
    public int UnflushedBatches => unflushed.Count;

    public EngineSize Size => new(content.Bytes, content.Bytes);

    public void Write(EngineBatch batch)
    {
        var next = content.With(batch);
        if (forgets) unflushed.Add(next);
        else flushed = next;
        content = next;
    }

    public byte[]? Get(Table table, ReadOnlySpan<byte> key) => content.Get(table, key.ToArray());

    public IEnumerable<EngineRow> Scan(Table table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to) => content.Scan(table, from.ToArray(), to?.ToArray());

    public IEngineSnapshot Snapshot() => content;

    /// <summary>Everything written so far survives a crash.</summary>
    public void Flush()
    {
        flushed = content;
        unflushed.Clear();
    }

    /// <summary>Loses the newest batches; what is left counts as flushed.</summary>
    public void Crash(int lostBatches)
    {
        Invariant.Require(lostBatches >= 0 && lostBatches <= unflushed.Count);
        var kept = unflushed.Count - lostBatches;
        content = kept == 0 ? flushed : unflushed[kept - 1];
        Flush();
    }

    /// <summary>An engine of its own with the same content, all of it flushed: how a snapshot travels in the simulator.</summary>
    public MemoryEngine Fork() => new(forgets, content);

    sealed record Content(ImmutableSortedSet<EngineRow> Revisions, ImmutableSortedSet<EngineRow> Meta, long Bytes) : IEngineSnapshot
    {
        ImmutableSortedSet<EngineRow> Rows(Table table) => table == Table.Revisions ? Revisions : Meta;

        public byte[]? Get(Table table, ReadOnlySpan<byte> key) => Get(table, key.ToArray());

        public byte[]? Get(Table table, byte[] key) => Rows(table).TryGetValue(new(key, []), out var row) ? row.Value : null;

        public IEnumerable<EngineRow> Scan(Table table, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte>? to) => Scan(table, from.ToArray(), to?.ToArray());

        public IEnumerable<EngineRow> Scan(Table table, byte[] from, byte[]? to)
        {
            var rows = Rows(table);
            for (var at = LowerBound(rows, from); at < rows.Count; at++)
            {
                var row = rows[at];
                if (to is not null && row.Key.AsSpan().SequenceCompareTo(to) >= 0) yield break;
                yield return row;
            }
        }

        public Content With(EngineBatch batch)
        {
            ImmutableSortedSet<EngineRow>.Builder[] tables = [Revisions.ToBuilder(), Meta.ToBuilder()];
            var bytes = Bytes;
            foreach (var operation in batch.Operations)
            {
                var rows = tables[(int)operation.Table];
                if (operation.RangeEnd is { } end) bytes -= RemoveRange(rows, operation.Key, end);
                else bytes -= Remove(rows, operation.Key);
                if (operation.Value is not { } value) continue;
                rows.Add(new(operation.Key, value.ToArray()));
                bytes += operation.Key.Length + value.Length;
            }
            return new(tables[0].ToImmutable(), tables[1].ToImmutable(), bytes);
        }

        public void Dispose()
        {
        }

        static long Remove(ImmutableSortedSet<EngineRow>.Builder rows, byte[] key)
        {
            if (!rows.TryGetValue(new(key, []), out var row)) return 0;
            rows.Remove(row);
            return row.Key.Length + row.Value.Length;
        }

        static long RemoveRange(ImmutableSortedSet<EngineRow>.Builder rows, byte[] from, byte[] to)
        {
            var frozen = rows.ToImmutable();
            long bytes = 0;
            for (var at = LowerBound(frozen, from); at < frozen.Count && frozen[at].Key.AsSpan().SequenceCompareTo(to) < 0; at++)
                bytes += Remove(rows, frozen[at].Key);
            return bytes;
        }

        static int LowerBound(ImmutableSortedSet<EngineRow> rows, byte[] key)
        {
            var at = rows.IndexOf(new(key, []));
            return at < 0 ? ~at : at;
        }
    }
}
