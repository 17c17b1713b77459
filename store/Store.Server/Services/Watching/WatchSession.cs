using System.Threading.Channels;
using Store.Protocol.Etcdserverpb;
using Store.State;

namespace Store.Server;

/// <summary>
/// One client stream from its first request to its end. A single task takes turns: apply what the client has asked, pull what is to be said, write it.
/// A client that does not read holds up its own turns and nothing else.
/// </summary>
sealed class WatchSession : IDisposable
{
    /// <summary>Requests that wait while the client does not read its answers; then its requests are not read either.</summary>
    const int RequestsMax = 64;

    readonly WatchFeed feed;
    readonly WatchOutput output;
    readonly TimeProvider time;
    readonly TimeSpan progressInterval;
    readonly WakeSignal wake = new();
    readonly WatchStream stream;
    readonly Channel<(WatchRequest Request, StoreError Denied)> inbox = Channel.CreateBounded<(WatchRequest, StoreError)>(new BoundedChannelOptions(RequestsMax) { SingleReader = true, SingleWriter = true });
    readonly List<Action<WatchStream>> requests = new(1);
    readonly List<WatchAnswer> answers = new(1);
    ITimer? progressTimer;
    volatile bool progressDue;

    public WatchSession(WatchFeed feed, WatchOutput output, TimeProvider time, TimeSpan progressInterval, WatchLimits limits)
    {
        this.feed = feed;
        this.output = output;
        this.time = time;
        this.progressInterval = progressInterval;
        stream = feed.Open(limits, wake.Set);
    }

    /// <summary>Takes a request of the client; waits while too many are not worked off.</summary>
    /// <param name="denied">Why the client may not create the watcher; None when it may.</param>
    public async ValueTask ReceiveAsync(WatchRequest request, StoreError denied, CancellationToken cancellationToken)
    {
        await inbox.Writer.WriteAsync((request, denied), cancellationToken);
        wake.Set();
    }

    /// <summary>Runs until the client is gone or the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var _ = cancellationToken.UnsafeRegister(static state => ((WakeSignal)state!).Set(), wake);
        while (!cancellationToken.IsCancellationRequested)
        {
            var more = Turn();
            if (answers.Count > 0 && !await output.WriteAsync(answers, cancellationToken)) return;
            if (!more) await wake.WaitAsync();
        }
    }

    public void Dispose()
    {
        progressTimer?.Dispose();
        feed.Close(stream);
        output.Dispose();
    }

    /// <summary>True: there is more to do at once.</summary>
    bool Turn()
    {
        requests.Clear();
        while (requests.Count < RequestsMax && inbox.Reader.TryRead(out var received)) requests.Add(Understand(received.Request, received.Denied));
        if (progressDue)
        {
            progressDue = false;
            stream.TickProgress();
        }
        feed.Take(stream, requests);
        return stream.Pull(feed.History, answers) || inbox.Reader.TryPeek(out _);
    }

    Action<WatchStream> Understand(WatchRequest request, StoreError denied)
    {
        switch (request.RequestUnionCase)
        {
            case WatchRequest.RequestUnionOneofCase.CreateRequest:
                var spec = SpecOf(request.CreateRequest) with { Denied = denied };
                if (spec.ProgressNotify) StartProgressTimer();
                return stream => stream.Create(spec);
            case WatchRequest.RequestUnionOneofCase.CancelRequest:
                var id = request.CancelRequest.WatchId;
                return stream => stream.Cancel(id);
            case WatchRequest.RequestUnionOneofCase.ProgressRequest:
                return static stream => stream.RequestProgress();
            default:
                // As etcd: what a later version may ask is passed over.
                return static _ => { };
        }
    }

    static WatchSpec SpecOf(WatchCreateRequest request)
    {
        var filter = WatchFilter.None;
        foreach (var unwanted in request.Filters)
        {
            filter |= unwanted switch
            {
                WatchCreateRequest.Types.FilterType.Noput => WatchFilter.NoPut,
                WatchCreateRequest.Types.FilterType.Nodelete => WatchFilter.NoDelete,
                _ => WatchFilter.None,
            };
        }
        return new(WatchRange.Of(request.Key.Span, request.RangeEnd.Span), request.StartRevision, request.WatchId)
        {
            Filter = filter,
            PrevKv = request.PrevKv,
            Fragment = request.Fragment,
            ProgressNotify = request.ProgressNotify,
        };
    }

    /// <summary>Up to a tenth longer than asked, so that streams opened together do not all speak at once (contract 1.6).</summary>
    void StartProgressTimer()
    {
        if (progressTimer is not null) return;
        var period = progressInterval * (1 + Random.Shared.NextDouble() / 10);
        progressTimer = time.CreateTimer(static state => ((WatchSession)state!).TickProgress(), this, period, period);
    }

    void TickProgress()
    {
        progressDue = true;
        wake.Set();
    }
}
