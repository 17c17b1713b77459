using Store.Raft;

namespace Store.State;

/// <summary>
/// Knows which stream is interested in which keys, and wakes it when one of them changes. A write costs the streams that have a watcher for it
/// and nothing else; streams fetch the events themselves (<see cref="WatchStream"/>). No threads: the shell holds one lock around every
/// member of this class and around those of <see cref="WatchStream"/> that say so; all of them are short and in memory.
/// </summary>
public sealed class WatchHub(Revision published)
{
    readonly RangeIndex<List<WatchStream>> subscribers = new();
    readonly List<WatchStream> streams = [];
    readonly List<WatchStream> waiting = [];
    readonly List<List<WatchStream>> matched = [];

    /// <summary>Everything up to here has been offered to the streams.</summary>
    public Revision Published { get; private set; } = published;

    public int StreamCount => streams.Count;

    /// <summary>As of each stream's last turn.</summary>
    public int WatcherCount { get; internal set; }

    /// <summary>
    /// The state now stands at <paramref name="to"/>. Streams with a watcher for one of the changes since are woken. After a jump (a snapshot
    /// was installed) the changes between are not in memory: then every stream has to look for itself.
    /// </summary>
    public void Publish(Revision to, IEventHistory history)
    {
        if (to <= Published) return;
        var from = Published.Next;
        Published = to;
        if (streams.Count > 0) Offer(from, to, history);
        if (waiting.Count > 0) WakeWaiting();
    }

    void Offer(Revision from, Revision to, IEventHistory history)
    {
        if (!history.InMemory(from) || history.Read(from, to) is not { } changes)
        {
            foreach (var stream in streams) stream.Mark(from);
            return;
        }
        foreach (var change in changes)
        {
            foreach (var stored in change.Events)
            {
                matched.Clear();
                subscribers.Match(stored.Key.Span, matched);
                foreach (var group in matched)
                {
                    foreach (var stream in group) stream.Mark(change.Revision);
                }
            }
        }
    }

    void WakeWaiting()
    {
        for (var i = waiting.Count - 1; i >= 0; i--)
        {
            var stream = waiting[i];
            if (stream.WakeAt > Published) continue;
            waiting.RemoveAt(i);
            stream.WakeAt = Revision.None;
            stream.Wake();
        }
    }

    internal void Open(WatchStream stream)
    {
        stream.Slot = streams.Count;
        streams.Add(stream);
    }

    internal void Close(WatchStream stream)
    {
        Invariant.Require(streams[stream.Slot] == stream);
        var last = streams[^1];
        streams[stream.Slot] = last;
        last.Slot = stream.Slot;
        streams.RemoveAt(streams.Count - 1);
        waiting.Remove(stream);
    }

    internal void Subscribe(WatchStream stream, WatchRange range)
    {
        if (subscribers.Find(range) is { } others) others.Add(stream);
        else subscribers.Add(range, new(1) { stream });
    }

    internal void Unsubscribe(WatchStream stream, WatchRange range)
    {
        var streamsOfRange = subscribers.Find(range);
        Invariant.Require(streamsOfRange is not null && streamsOfRange.Remove(stream));
        if (streamsOfRange.Count == 0) subscribers.Remove(range);
    }

    /// <summary>Wakes the stream once the state has come to the revision, whatever changes.</summary>
    internal void WakeAt(WatchStream stream, Revision revision)
    {
        if (stream.WakeAt == Revision.None) waiting.Add(stream);
        stream.WakeAt = revision;
    }
}
