using Store.Raft;

namespace Store.State;

/// <summary>How much a stream reads at a time. A piece is what a slow client can hold in memory, besides the transport's own buffer.</summary>
public sealed record WatchLimits
{
    public static readonly WatchLimits Default = new();

    public int PieceBytesMax { get; init; } = 64 << 10;
    public int PieceRevisionsMax { get; init; } = 1000;
}

/// <summary>
/// The watchers of one client stream. They hold no events: the stream has one cursor for all that keep up, and each watcher that starts in the
/// past has its own until it has caught up. One owner calls everything here; members marked "under the hub's lock" also touch the hub.
///
/// A turn of the owner, as long as there is something to do:
///   under the hub's lock: Create, Cancel, RequestProgress for what the client has sent, then Take
///   then Pull once, and write what it says while the client's window allows; writing is what slows the next turn down.
///
/// Why a watcher that starts in the past misses nothing when it joins the others: (1) it is subscribed at revision 50 with start 10, so every
/// change from 51 on that concerns it marks the stream; (2) Take says that the stream stands at 60, and Pull reads it pieces until its cursor is
/// 61; (3) events above 60 are not yet taken, and the mark brings them to all of the stream's watchers, it being one of them now.
/// </summary>
public sealed partial class WatchStream
{
    /// <summary>Progress requests that wait for their answer; further ones share the answer of the last.</summary>
    const int MarkersMax = 128;

    readonly WatchHub hub;
    readonly WatchLimits limits;
    readonly RangeIndex<WatcherGroup> groups = new();
    readonly Dictionary<long, Watcher> watchers = new(1);
    readonly List<Watcher> behind = [];
    readonly List<Watcher> startInFuture = [];
    readonly List<WatcherGroup> abandoned = [];
    readonly List<Revision> markers = new(0);
    readonly List<WatchAnswer> notices = [];
    long nextId;
    int countedWatchers;
    bool progressDue;

    /// <summary>The highest revision that a header has told: no later header may tell less.</summary>
    Revision told;

    /// <summary>Where the hub stood at the last <see cref="Take"/>.</summary>
    Revision position;

    /// <summary>The next revision for the watchers that keep up; above <see cref="position"/> when there is nothing for them.</summary>
    Revision next;

    /// <param name="wake">Called when there may be something to pull; under the hub's lock, so it must return at once. May come too often, never too seldom.</param>
    public WatchStream(WatchHub hub, WatchLimits limits, Action wake)
    {
        this.hub = hub;
        this.limits = limits;
        Wake = wake;
        position = hub.Published;
        next = position.Next;
        hub.Open(this);
    }

    internal Action Wake { get; }

    /// <summary>The hub's: its place in the list of streams.</summary>
    internal int Slot;

    /// <summary>The hub's: the first revision since the last Take that concerns one of the watchers.</summary>
    internal Revision Marked;

    /// <summary>The hub's: see <see cref="WatchHub.WakeAt"/>.</summary>
    internal Revision WakeAt;

    public int WatcherCount => watchers.Count;

    internal void Mark(Revision revision)
    {
        if (Marked != Revision.None) return;
        Marked = revision;
        Wake();
    }

    /// <summary>Under the hub's lock. The answer, created or refused, comes before all events of the watcher.</summary>
    public void Create(WatchSpec spec)
    {
        var refusal = spec.Start < 0 ? WatchRefusal.NegativeStart
            : spec.Denied != StoreError.None ? WatchRefusal.Denied
            : spec.Range.IsEmpty ? WatchRefusal.EmptyRange
            : spec.RequestedId != 0 && watchers.ContainsKey(spec.RequestedId) ? WatchRefusal.DuplicateId
            : WatchRefusal.None;
        if (refusal != WatchRefusal.None)
        {
            Notice(new(WatchAnswerKind.Refused, WatchAnswer.NoWatcher, hub.Published) { Refusal = refusal, Denied = spec.Denied });
            return;
        }

        var id = spec.RequestedId != 0 ? spec.RequestedId : FreeId();
        var start = spec.Start == 0 ? hub.Published.Next : new Revision(spec.Start);
        var watcher = new Watcher(id, spec, JoinGroup(spec.Range), start) { Behind = start <= hub.Published };
        watcher.Group.Watchers.Add(watcher);
        watchers.Add(id, watcher);
        if (watcher.Behind)
        {
            behind.Add(watcher);
            watcher.Group.Behind++;
        }
        if (spec.Start > hub.Published.Value) startInFuture.Add(watcher);
        Notice(new(WatchAnswerKind.Created, id, hub.Published));
    }

    /// <summary>Under the hub's lock. Unknown ids are ignored; after the acknowledgement nothing more comes of the watcher.</summary>
    public void Cancel(long id)
    {
        if (!watchers.TryGetValue(id, out var watcher)) return;
        Drop(watcher);
        Notice(new(WatchAnswerKind.Canceled, id, hub.Published));
    }

    /// <summary>
    /// Under the hub's lock. Answered once all watchers have passed the present revision, and no start lies in the future; never ahead of
    /// events, and never dropped. Without watchers there is nobody to answer for (contract 1.6).
    /// </summary>
    public void RequestProgress()
    {
        if (watchers.Count == 0) return;
        if (markers.Count == MarkersMax) markers[^1] = hub.Published;
        else markers.Add(hub.Published);
    }

    /// <summary>The interval of progress notifications has passed: the watchers that asked for them and had no event since get one with the next Pull.</summary>
    public void TickProgress() => progressDue = true;

    /// <summary>Under the hub's lock: takes what was published since the last turn.</summary>
    public void Take()
    {
        foreach (var group in abandoned)
        {
            if (group.Watchers.Count > 0 || groups.Find(group.Range) != group) continue;
            groups.Remove(group.Range);
            hub.Unsubscribe(this, group.Range);
        }
        abandoned.Clear();
        hub.WatcherCount += watchers.Count - countedWatchers;
        countedWatchers = watchers.Count;

        var keptUp = next > position;
        position = hub.Published;
        if (keptUp) next = Marked == Revision.None ? position.Next : Marked;
        Marked = Revision.None;

        var passed = Passed();
        startInFuture.RemoveAll(watcher => watcher.Next <= passed || !watchers.ContainsKey(watcher.Id));
        if (markers.Count > 0 && startInFuture.Count > 0) hub.WakeAt(this, startInFuture.Max(watcher => watcher.Next));
    }

    /// <summary>Under the hub's lock: the client is gone.</summary>
    public void Close()
    {
        foreach (var watcher in watchers.Values.ToArray()) Drop(watcher);
        Take();
        hub.Close(this);
    }

    void Notice(WatchAnswer answer)
    {
        notices.Add(answer);
        told = Max(told, answer.Revision);
    }

    WatcherGroup JoinGroup(WatchRange range)
    {
        if (groups.Find(range) is { } known) return known;
        var group = new WatcherGroup(range);
        groups.Add(range, group);
        hub.Subscribe(this, range);
        return group;
    }

    long FreeId()
    {
        while (watchers.ContainsKey(nextId)) nextId++;
        return nextId++;
    }

    /// <summary>Takes the watcher out of everything that this stream owns; the hub hears of it with the next Take.</summary>
    void Drop(Watcher watcher)
    {
        Invariant.Require(watchers.Remove(watcher.Id) && watcher.Group.Watchers.Remove(watcher));
        if (watcher.Behind)
        {
            behind.Remove(watcher);
            watcher.Group.Behind--;
        }
        if (watcher.Group.Watchers.Count == 0) abandoned.Add(watcher.Group);
    }
}
