namespace Store.State;

/// <summary>One change as it stands in the log and goes to watchers: encoded once, shared by all of them.</summary>
/// <param name="KeyValue">Encoded mvccpb.KeyValue; of a deletion just key and mod_revision.</param>
/// <param name="Superseded">The row that this one replaced; none for the first of a key's life.</param>
/// <param name="IsCreate">create_revision equals mod_revision.</param>
public sealed record StoredEvent(
    RowId Id, bool IsDelete, bool IsCreate, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> KeyValue, RowId Superseded)
{
    /// <summary>The encoded KeyValue before this change when it was at hand at apply; null: look it up by <see cref="Superseded"/>.</summary>
    public ReadOnlyMemory<byte>? Previous { get; init; }
}

/// <summary>All changes of one revision, in the order of their subs.</summary>
public sealed record RevisionEvents(Revision Revision, IReadOnlyList<StoredEvent> Events);

/// <summary>The changes behind the compacted revision up to the view's: the newest from memory, older ones from the engine.</summary>
public sealed partial class EventLog : IEventHistory
{
    /// <summary>
    /// Revisions in [from, to] that changed something, in order. Null when <paramref name="from"/> lies below what compaction has left and is not in
    /// memory (the caller cancels the watcher with compact_revision). Compaction does not cut what is in memory: a watcher that keeps up is not
    /// cancelled because a compaction followed right behind the writes.
    /// </summary>
    public IEnumerable<RevisionEvents>? Read(Revision from, Revision to) => throw new NotImplementedException();

    /// <summary>The newest compacted revision: what <see cref="Read"/> goes by.</summary>
    public Revision Compacted => throw new NotImplementedException();

    /// <summary>True when <see cref="Read"/> from here needs no disk.</summary>
    public bool InMemory(Revision from) => throw new NotImplementedException();

    /// <summary>The encoded KeyValue that the event replaced, null when there was none or compaction has removed it.</summary>
    public ReadOnlyMemory<byte>? Previous(StoredEvent storedEvent) => throw new NotImplementedException();
}
