using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Store.Protocol.Etcdserverpb;

namespace EndToEnd.Tests;

/// <summary>
/// One watch stream and everything it said, kept as one line of text an event for each watch: how events are grouped into responses is the server's
/// business as long as the order holds and no revision is split, which is checked here.
/// </summary>
sealed class WatchStream : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    readonly AsyncDuplexStreamingCall<WatchRequest, WatchResponse> call;
    readonly Task reader;
    readonly Lock gate = new();
    readonly SortedDictionary<long, List<string>> lines = [];
    readonly Dictionary<long, long> lastRevision = [];
    readonly HashSet<long> fragmented = [];
    readonly SemaphoreSlim arrived = new(0);
    WatchResponse? lastCreated;
    long progressRevision;
    bool nextIsFragmented;

    public WatchStream(Watch.WatchClient client, Metadata? login)
    {
        call = client.Watch(login);
        reader = Task.Run(ReadAsync);
    }

    /// <returns>The response that says "created".</returns>
    public async Task<WatchResponse?> CreateAsync(WatchCreateRequest request)
    {
        lock (gate)
        {
            lastCreated = null;
            nextIsFragmented = request.Fragment;
        }
        await call.RequestStream.WriteAsync(new WatchRequest { CreateRequest = request });
        return await UntilAsync(() => lastCreated is not null, Patience) ? lastCreated : null;
    }

    /// <param name="answered">Whether the server is to confirm.</param>
    public async Task<bool> CancelAsync(long watchId, bool answered)
    {
        var before = LinesOf(watchId);
        await call.RequestStream.WriteAsync(new WatchRequest { CancelRequest = new WatchCancelRequest { WatchId = watchId } });
        return !answered || await UntilAsync(() => LinesOf(watchId) > before, Patience);
    }

    /// <summary>Asks for progress until the stream has been brought to this revision: then every event up to it has arrived.</summary>
    public async Task<bool> SettleAsync(long revision)
    {
        lock (gate)
            progressRevision = 0;
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Patience)
        {
            await call.RequestStream.WriteAsync(new WatchRequest { ProgressRequest = new WatchProgressRequest() });
            if (await UntilAsync(() => progressRevision >= revision, TimeSpan.FromMilliseconds(25)))
                return true;
        }
        return false;
    }

    /// <summary>All watches' lines so far.</summary>
    public string Transcript()
    {
        lock (gate)
            return string.Concat(lines.Select(watch => $"watch {watch.Key}:\n  {string.Join("\n  ", watch.Value)}\n"));
    }

    public async ValueTask DisposeAsync()
    {
        call.Dispose();
        await reader;
    }

    int LinesOf(long watchId)
    {
        lock (gate)
            return lines.TryGetValue(watchId, out var list) ? list.Count : 0;
    }

    async Task<bool> UntilAsync(Func<bool> condition, TimeSpan within)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            lock (gate)
            {
                if (condition())
                    return true;
            }
            var left = within - Stopwatch.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || !await arrived.WaitAsync(left))
                return false;
        }
    }

    async Task ReadAsync()
    {
        try
        {
            await foreach (var response in call.ResponseStream.ReadAllAsync())
            {
                lock (gate)
                    Take(response);
                arrived.Release();
            }
            lock (gate)
                Say(-1, "the server ended the stream");
        }
        catch (RpcException e)
        {
            // Cancelled is our own goodbye.
            lock (gate)
            {
                if (e.StatusCode != StatusCode.Cancelled)
                    Say(-1, $"the stream broke: {e.StatusCode} {e.Status.Detail}");
            }
        }
    }

    void Take(WatchResponse response)
    {
        if (response.Created)
        {
            lastCreated = response;
            if (nextIsFragmented)
                fragmented.Add(response.WatchId);
            Say(response.WatchId, $"created at {response.Header.Revision}{(response.Canceled ? $" and canceled: {response.CancelReason}" : "")}");
        }
        else if (response.Canceled)
        {
            Say(response.WatchId, $"canceled, compact revision {response.CompactRevision}, reason '{response.CancelReason}'");
        }
        else if (response.Events.Count == 0 && response.WatchId == -1)
        {
            progressRevision = Math.Max(progressRevision, response.Header.Revision);
        }
        else
        {
            TakeEvents(response);
        }
    }

    void TakeEvents(WatchResponse response)
    {
        if (response.Events.Count == 0)
            Say(response.WatchId, "VIOLATION: a response with nothing in it");
        var first = response.Events.Count > 0 ? response.Events[0].Kv.ModRevision : 0;
        if (lastRevision.TryGetValue(response.WatchId, out var last) && (first < last || (first == last && !fragmented.Contains(response.WatchId))))
            Say(response.WatchId, string.Create(CultureInfo.InvariantCulture, $"VIOLATION: an event of revision {first} after a response that ended with {last}"));
        foreach (var item in response.Events)
        {
            lastRevision[response.WatchId] = item.Kv.ModRevision;
            Say(response.WatchId, Canon.Text(item));
        }
        if (response.Events.Count > 0 && response.Header.Revision < lastRevision[response.WatchId])
            Say(response.WatchId, "VIOLATION: the header's revision is behind the events");
    }

    void Say(long watchId, string line)
    {
        if (!lines.TryGetValue(watchId, out var list))
            lines[watchId] = list = [];
        list.Add(line);
    }
}
