using System.IO.Pipelines;
using Store.State;

namespace Store.Server;

/// <summary>
/// Brings a stream's answers to its client, straight into the response's pipe: many responses share one write, and one large response is written in
/// pieces. Waiting for the write is waiting for the client.
/// </summary>
/// <param name="fragmentBytes">From this size on a response is cut, if its watcher allows it.</param>
sealed class WatchOutput(PipeWriter body, MemberIdentity identity, Func<ulong> term, int fragmentBytes) : IDisposable
{
    const int WriteBytes = 32 << 10;

    readonly WatchFrames frames = new(identity);

    /// <summary>Empties the answers. False when the client is gone.</summary>
    public async ValueTask<bool> WriteAsync(List<WatchAnswer> answers, CancellationToken cancellationToken)
    {
        var termNow = term();
        for (var i = 0; i < answers.Count; i++)
        {
            if (answers[i].Kind != WatchAnswerKind.Events) frames.WriteNotice(answers[i], termNow);
            else if (answers[i].MayFragment && !await WriteFragmentsAsync(answers[i], termNow, cancellationToken)) return false;
            else if (!answers[i].MayFragment && !await WriteEventsAsync(answers[i], new(0, answers[i].Events!.Count, false), termNow, cancellationToken)) return false;
            if (frames.Length >= WriteBytes && !await FlushAsync(cancellationToken)) return false;
        }
        // From here on the bytes are the transport's: a client that does not read must not keep the events as well.
        answers.Clear();
        var delivered = frames.Length == 0 || await FlushAsync(cancellationToken);
        frames.Dispose();
        return delivered;
    }

    public void Dispose() => frames.Dispose();

    async ValueTask<bool> WriteFragmentsAsync(WatchAnswer answer, ulong termNow, CancellationToken cancellationToken)
    {
        var sizes = answer.Events!.Select(change => (long)WatchFrames.EventFieldBytes(change, answer.WithPrevious)).ToArray();
        foreach (var fragment in WatchFragments.Cut(frames.EnvelopeBytes(answer.WatchId, answer.Revision, termNow), sizes, fragmentBytes))
        {
            if (!await WriteEventsAsync(answer, fragment, termNow, cancellationToken)) return false;
        }
        return true;
    }

    async ValueTask<bool> WriteEventsAsync(WatchAnswer answer, WatchFragment fragment, ulong termNow, CancellationToken cancellationToken)
    {
        var events = answer.Events!;
        var end = fragment.First + fragment.Count;
        var bytes = 0L;
        for (var i = fragment.First; i < end; i++) bytes += WatchFrames.EventFieldBytes(events[i], answer.WithPrevious);
        StoreMetrics.Events.Add(fragment.Count);
        frames.WriteEventsStart(answer.WatchId, answer.Revision, termNow, fragment.More, bytes);
        for (var i = fragment.First; i < end; i++)
        {
            frames.WriteEvent(events[i], answer.WithPrevious);
            if (frames.Length >= WriteBytes && !await FlushAsync(cancellationToken)) return false;
        }
        return true;
    }

    async ValueTask<bool> FlushAsync(CancellationToken cancellationToken)
    {
        StoreMetrics.ClientSentBytes.Add(frames.Length);
        var flush = body.WriteAsync(frames.Written, cancellationToken);
        // The pipe has copied the bytes when the call returns; what is waited for is room for more.
        frames.Clear();
        var result = await flush;
        return !result.IsCompleted && !result.IsCanceled;
    }
}
