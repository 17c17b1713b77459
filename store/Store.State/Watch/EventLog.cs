namespace Store.State;

/// <summary>One change as it stands in the log and goes to watchers: encoded once, shared by all of them.</summary>
/// <param name="KeyValue">Encoded mvccpb.KeyValue; of a deletion just key and mod_revision.</param>
/// <param name="Superseded">The row that this one replaced, perhaps of the same revision; none for the first of a key's life.</param>
/// <param name="IsCreate">create_revision equals mod_revision.</param>
public sealed record StoredEvent(
    RowId Id, bool IsDelete, bool IsCreate, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> KeyValue, RowId Superseded)
{
    /// <summary>The encoded KeyValue before this revision when it was at hand at apply; null: look it up by <see cref="Superseded"/>.</summary>
    public ReadOnlyMemory<byte>? Previous { get; init; }

    internal static StoredEvent Of(RowId id, ReadOnlyMemory<byte> row, ReadOnlyMemory<byte>? previous)
    {
        var fields = Row.Fields(row.Span);
        row.Span.Overlaps(fields.Key, out var at);
        return new(id, Row.IsTombstone(row.Span), fields.Create == fields.Mod, row.Slice(at, fields.Key.Length), Row.KeyValue(row), Row.Superseded(row.Span))
        {
            Previous = previous is { } superseded ? Row.KeyValue(superseded) : default(ReadOnlyMemory<byte>?),
        };
    }
}

/// <summary>All changes of one revision, in the order of their subs.</summary>
public sealed record RevisionEvents(Revision Revision, IReadOnlyList<StoredEvent> Events);

/// <summary>
/// The changes behind the compacted revision up to the newest published one: the newest from memory, older ones from the engine. One for the life of a
/// state; safe for any number of readers beside the writer.
/// </summary>
public sealed partial class EventLog : IEventHistory
{
    readonly PublishedState published;

    internal EventLog(PublishedState published) => this.published = published;

    /// <summary>
    /// Revisions in [from, to] that changed something, in order, complete however compaction goes on meanwhile. Null when <paramref name="from"/> lies
    /// below what compaction has left and is not in memory (the caller cancels the watcher with compact_revision). Compaction does not cut what is in
    /// memory: a watcher that keeps up is not cancelled because a compaction followed right behind the writes. What comes from the engine is read as it
    /// is walked: walk it once, and dispose of the enumerator (foreach does) when stopping early.
    /// </summary>
    public IEnumerable<RevisionEvents>? Read(Revision from, Revision to)
    {
        var (low, high) = (Math.Max(from.Value, 1), Math.Min(to.Value, published.Latest.Revision.Value));
        if (low > high) return from < Compacted ? null : [];
        if (published.Tail.Find(low, high) is { } recent) return recent;
        if (low < Compacted.Value) return null;
        // The first row is read before compaction is looked at again: from then on the scan stands on one moment, and what that moment lacks
        // can only have been deleted by a compaction that was published before.
        var rows = published.Engine.Scan(Table.Revisions, Row.EngineKey(new(new(low), 0)), Row.EngineKey(new(new(high + 1), 0))).GetEnumerator();
        var any = rows.MoveNext();
        if (low < Compacted.Value)
        {
            rows.Dispose();
            return null;
        }
        return any ? ByRevision(rows) : [];
    }

    /// <summary>The newest compacted revision: what <see cref="Read"/> goes by.</summary>
    public Revision Compacted => published.Latest.Compacted;

    /// <summary>True when <see cref="Read"/> from here needs no disk.</summary>
    public bool InMemory(Revision from) => from > published.Latest.Revision || published.Tail.Has(from.Value);

    /// <summary>
    /// The encoded KeyValue before the event's revision, null when there was none or compaction has removed it. A transaction that puts a key and deletes it again makes
    /// two events of one revision: for both of them it is what was there before the transaction, as in etcd.
    /// </summary>
    public ReadOnlyMemory<byte>? Previous(StoredEvent storedEvent)
    {
        if (storedEvent.Previous is { } previous) return previous;
        var superseded = storedEvent.Superseded;
        while (!superseded.IsNone)
        {
            if (published.Rows.Load(superseded) is not { } row) return null;
            if (superseded.Main != storedEvent.Id.Main) return Row.KeyValue(row);
            superseded = Row.Superseded(row.Span);
        }
        return null;
    }

    /// <param name="rows">Stands on its first row.</param>
    static IEnumerable<RevisionEvents> ByRevision(IEnumerator<EngineRow> rows)
    {
        using (rows)
        {
            var changes = new List<StoredEvent>();
            do
            {
                var id = Row.ReadKey(rows.Current.Key);
                if (changes.Count > 0 && changes[0].Id.Main != id.Main)
                {
                    yield return new(changes[0].Id.Main, changes);
                    changes = [];
                }
                changes.Add(StoredEvent.Of(id, Row.Checked(rows.Current.Value), previous: null));
            }
            while (rows.MoveNext());
            yield return new(changes[0].Id.Main, changes);
        }
    }
}
