namespace Store.State;

/// <summary>What watchers read: the changes that compaction has left, oldest first. Implemented by <see cref="EventLog"/>, and by the model that the tests compare with.</summary>
public interface IEventHistory
{
    /// <summary>The revision below which nothing can be asked for any more; grows beside the readers.</summary>
    Revision Compacted { get; }

    /// <summary>Revisions in [from, to] that changed something, in order; null when <paramref name="from"/> is compacted and not in memory.</summary>
    IEnumerable<RevisionEvents>? Read(Revision from, Revision to);

    /// <summary>True when <see cref="Read"/> from here needs no disk.</summary>
    bool InMemory(Revision from);

    /// <summary>The encoded KeyValue that the event replaced, null when there was none or compaction has removed it.</summary>
    ReadOnlyMemory<byte>? Previous(StoredEvent storedEvent);
}
