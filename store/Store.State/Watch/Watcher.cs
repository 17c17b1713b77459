namespace Store.State;

[Flags]
public enum WatchFilter : byte
{
    None = 0,
    NoPut = 1,
    NoDelete = 2,
}

/// <summary>What a client asks for when it creates a watcher (contract 1.6).</summary>
/// <param name="Start">The first revision wanted; zero means from now on.</param>
/// <param name="RequestedId">Zero lets the stream choose.</param>
public sealed record WatchSpec(WatchRange Range, long Start, long RequestedId)
{
    public WatchFilter Filter { get; init; }
    public bool PrevKv { get; init; }
    public bool Fragment { get; init; }
    public bool ProgressNotify { get; init; }

    /// <summary>Why the client may not have the watcher; None when it may.</summary>
    public StoreError Denied { get; init; }
}

/// <summary>A cursor on the event log. It has no queue: what it has not sent yet is still in the log.</summary>
sealed class Watcher(long id, WatchSpec spec, WatcherGroup group, Revision next)
{
    public readonly long Id = id;
    public readonly WatcherGroup Group = group;
    public readonly WatchFilter Filter = spec.Filter;
    public readonly bool PrevKv = spec.PrevKv;
    public readonly bool Fragment = spec.Fragment;
    public readonly bool ProgressNotify = spec.ProgressNotify;

    /// <summary>
    /// Nothing below this is sent. While behind it is the cursor; afterwards the stream's own cursor counts, and this only holds back events
    /// from before the start.
    /// </summary>
    public Revision Next = next;

    /// <summary>Still catching up with the stream, in pieces of its own.</summary>
    public bool Behind;

    /// <summary>No event was sent since the last progress tick.</summary>
    public bool Quiet = true;

    public bool Wants(StoredEvent change) =>
        change.Id.Main >= Next && (Filter & (change.IsDelete ? WatchFilter.NoDelete : WatchFilter.NoPut)) == WatchFilter.None;
}

/// <summary>The watchers of one stream that look at the same range: matched once, and fed from one list of events.</summary>
sealed class WatcherGroup(WatchRange range)
{
    public readonly WatchRange Range = range;
    public readonly List<Watcher> Watchers = new(1);

    /// <summary>How many of them are behind.</summary>
    public int Behind;

    /// <summary>What the piece being read has for this range; null between pieces.</summary>
    public List<WatchEvent>? Found;

    public bool Has(bool behind) => behind ? Behind > 0 : Watchers.Count > Behind;
}
