using Store.State;

namespace Store.Server;

/// <summary>The process's one <see cref="WatchHub"/> and the lock around it. Held for in-memory work of microseconds only.</summary>
public sealed class WatchFeed
{
    readonly Lock gate = new();
    readonly WatchHub hub;
    readonly Func<(Revision Revision, IEventHistory History)> newest;

    /// <param name="newest">The newest published state; at least as new as what <see cref="Publish"/> was told.</param>
    public WatchFeed(Func<(Revision Revision, IEventHistory History)> newest)
    {
        this.newest = newest;
        hub = new(newest().Revision);
    }

    /// <summary>The feed of a replica: follows every view that it publishes.</summary>
    public static WatchFeed Of(ReplicaLoop loop)
    {
        var feed = new WatchFeed(() => (loop.View.Revision, loop.View.Events));
        loop.Published += view => feed.Publish(view.Revision, view.Events);
        return feed;
    }

    /// <summary>What streams read from.</summary>
    public IEventHistory History => newest().History;

    public void Publish(Revision to, IEventHistory history)
    {
        lock (gate) hub.Publish(to, history);
    }

    internal WatchStream Open(WatchLimits limits, Action wake)
    {
        lock (gate)
        {
            var stream = new WatchStream(hub, limits, wake);
            Count();
            return stream;
        }
    }

    internal void Close(WatchStream stream)
    {
        lock (gate)
        {
            stream.Close();
            Count();
        }
    }

    /// <summary>
    /// One turn's part under the lock. A watcher that starts "now" must start behind every write acknowledged before, so requests first bring the
    /// hub to the newest state: (1) a put is applied and acknowledged; (2) its client creates a watcher; (3) the replica tells the hub of the put.
    /// </summary>
    internal void Take(WatchStream stream, IReadOnlyList<Action<WatchStream>> requests)
    {
        if (requests.Count == 0)
        {
            lock (gate) stream.Take();
            return;
        }
        var (revision, history) = newest();
        lock (gate)
        {
            hub.Publish(revision, history);
            foreach (var request in requests) request(stream);
            stream.Take();
            Count();
        }
    }

    void Count()
    {
        StoreMetrics.Watchers.Set(hub.WatcherCount);
        StoreMetrics.WatchStreams.Set(hub.StreamCount);
    }
}
