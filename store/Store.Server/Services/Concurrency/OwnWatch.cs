using Store.State;

namespace Store.Server;

/// <summary>One watcher that this process itself holds, on the same feed as the clients' watches.</summary>
sealed class OwnWatch : IDisposable
{
    readonly WatchFeed feed;
    readonly WakeSignal wake = new();
    readonly WatchStream stream;
    readonly List<WatchAnswer> answers = [];

    /// <param name="start">The first revision to hear of.</param>
    public OwnWatch(WatchFeed feed, WatchRange range, long start)
    {
        this.feed = feed;
        stream = feed.Open(WatchLimits.Default, wake.Set);
        feed.Take(stream, [stream => stream.Create(new(range, start, 0))]);
    }

    /// <summary>The next events, in order, at least one; null when compaction has removed some of them: look at the keys anew.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<IReadOnlyList<StoredEvent>?> NextAsync(CancellationToken cancellationToken)
    {
        using var _ = cancellationToken.UnsafeRegister(static state => ((WakeSignal)state!).Set(), wake);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            feed.Take(stream, []);
            answers.Clear();
            var more = stream.Pull(feed.History, answers);
            if (answers.Any(answer => answer.Kind == WatchAnswerKind.Compacted)) return null;
            StoredEvent[] events = [.. answers.SelectMany(answer => answer.Events ?? []).Select(e => e.Stored)];
            if (events.Length > 0) return events;
            if (!more) await wake.WaitAsync();
        }
    }

    public void Dispose() => feed.Close(stream);
}
