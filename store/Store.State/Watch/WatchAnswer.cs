namespace Store.State;

public enum WatchAnswerKind : byte
{
    Created,
    /// <summary>The watcher could not be made; its id is <see cref="WatchAnswer.NoWatcher"/>.</summary>
    Refused,
    /// <summary>The client asked for it.</summary>
    Canceled,
    /// <summary>The watcher wants revisions that compaction has removed; it is gone.</summary>
    Compacted,
    /// <summary>Everything up to the revision has been sent: to one watcher, or with <see cref="WatchAnswer.NoWatcher"/> to all of the stream.</summary>
    Progress,
    Events,
}

/// <summary>Why a watcher could not be made (contract 1.6).</summary>
public enum WatchRefusal : byte
{
    None,
    /// <summary>A negative start revision.</summary>
    NegativeStart,
    EmptyRange,
    DuplicateId,
    /// <summary>For lack of permission; <see cref="WatchAnswer.Denied"/> says which.</summary>
    Denied,
}

/// <summary>One event on its way to watchers.</summary>
/// <param name="Previous">The encoded KeyValue before the change; null when nobody asked, there was none, or it is compacted.</param>
public readonly record struct WatchEvent(StoredEvent Stored, ReadOnlyMemory<byte>? Previous);

/// <summary>
/// What a stream has to say next, one WatchResponse each (several when it is fragmented). A struct, and its event list is shared by all
/// watchers of a range: a thousand watchers of one key cost a thousand of these and one list.
/// </summary>
/// <param name="Revision">For the header. Never falls within a stream's watcher.</param>
public readonly record struct WatchAnswer(WatchAnswerKind Kind, long WatchId, Revision Revision)
{
    public const long NoWatcher = -1;

    public WatchRefusal Refusal { get; init; }

    public StoreError Denied { get; init; }

    public Revision CompactRevision { get; init; }

    /// <summary>In order, revisions whole; empty unless the kind is Events.</summary>
    public IReadOnlyList<WatchEvent>? Events { get; init; }

    /// <summary>The events go out with what they replaced.</summary>
    public bool WithPrevious { get; init; }

    /// <summary>A response that grows too large may be split.</summary>
    public bool MayFragment { get; init; }
}
