using System.Diagnostics;
using System.Net;

namespace Benchmarks;

/// <summary>
/// Many watchers of one key, spread over a few connections with one watch stream each (as etcd's own client multiplexes them). A writer sends its next
/// put when its last one has reached every watcher, so a server can neither run ahead of its watchers nor leave them a backlog, and with several
/// writers it is free to batch. Latency is from sending a put until the last watcher has it.
/// </summary>
sealed class WatchFanOut : IStreamHandler, IDisposable
{
    const int RecentRevisions = 1024;
    static readonly byte[] Key = Keys.Make("watched", 0);
    static readonly TimeSpan PatienceForOne = TimeSpan.FromSeconds(10);

    readonly int watchers;
    readonly Http2Connection[] connections;
    readonly Http2Connection writerConnection;
    readonly MessageAssembler[] assemblers;
    readonly Writer[] writers;
    readonly Poller poller;
    readonly byte[] request = new byte[4096];
    readonly byte[] value = Keys.Value(new Random(5));
    // By revision modulo their number: how many watchers have it, and whose put it was.
    readonly int[] delivered = new int[RecentRevisions];
    readonly Writer?[] owners = new Writer?[RecentRevisions];
    Histogram latency = new();
    int created;
    long events;
    bool issuing;
    bool measuring;

    public WatchFanOut(IPEndPoint server, int watchers, int connectionCount, int writerCount)
    {
        this.watchers = watchers;
        var watching = Enumerable.Range(0, connectionCount).Select(_ => new Http2Connection(server, "/etcdserverpb.Watch/Watch", this)).ToArray();
        writerConnection = new Http2Connection(server, "/etcdserverpb.KV/Put", this);
        connections = [.. watching, writerConnection];
        poller = new Poller(connections);
        assemblers = [.. watching.Select(_ => new MessageAssembler())];
        writers = [.. Enumerable.Range(0, writerCount).Select(n => new Writer(connectionCount + n))];
        for (var connection = 0; connection < connectionCount; connection++)
            OpenWatches(connection, watchers / connectionCount);
        RunUntil(() => created == watchers, PatienceForOne, "not every watch was created");
    }

    /// <inheritdoc cref="LoadLoop.Run"/>
    public LoadResult Run(TimeSpan ramp, TimeSpan measured, Action onMeasureStart, Action onMeasureEnd)
    {
        (latency, measuring, issuing) = (new Histogram(), false, true);
        foreach (var writer in writers)
            Put(writer);
        RunFor(ramp);
        onMeasureStart();
        (measuring, events) = (true, 0);
        var started = Stopwatch.GetTimestamp();
        RunFor(measured);
        var elapsed = Stopwatch.GetElapsedTime(started);
        onMeasureEnd();
        var delivering = events;
        (measuring, issuing) = (false, false);
        RunUntil(() => writers.All(w => !w.Outstanding), PatienceForOne, "a put did not reach every watcher");
        return new LoadResult(delivering, 0, elapsed, latency);
    }

    public void Received(int tag, ReadOnlySpan<byte> body)
    {
        if (tag < assemblers.Length)
            assemblers[tag].Take(body, TakeWatchResponse);
        else
            writers[tag - assemblers.Length].Answer.Take(body, message => TakePutResponse(tag, message));
    }

    public void Ended(int tag, bool reset)
    {
        if (tag < assemblers.Length)
            throw new IOException("The server ended a watch stream.");
        // The next put may be on its way before the last one's trailers are here, so answers are counted, not remembered.
        var writer = writers[tag - assemblers.Length];
        if (reset || ++writer.Ended > writer.Answered)
            throw new IOException("A put for the watchers failed.");
    }

    public void Dispose()
    {
        foreach (var connection in connections)
            connection.Dispose();
    }

    void OpenWatches(int connection, int count)
    {
        var create = new ProtobufWriter(request.AsSpan(1024));
        create.Bytes(1, Key);
        var message = new ProtobufWriter(request.AsSpan(512));
        message.Bytes(1, request.AsSpan(1024, create.Length));
        var framed = new byte[Grpc.PrefixSize + message.Length];
        Grpc.WritePrefix(framed, message.Length);
        request.AsSpan(512, message.Length).CopyTo(framed.AsSpan(Grpc.PrefixSize));
        connections[connection].TryOpen(connection, [.. Enumerable.Repeat(framed, count).SelectMany(bytes => bytes)], endStream: false);
        connections[connection].Flush();
    }

    void Put(Writer writer)
    {
        var message = new ProtobufWriter(request.AsSpan(Grpc.PrefixSize));
        message.Bytes(1, Key);
        message.Bytes(2, value);
        Grpc.WritePrefix(request, message.Length);
        (writer.Outstanding, writer.StartedAt) = (true, Stopwatch.GetTimestamp());
        if (!writerConnection.TryOpen(writer.Tag, request.AsSpan(0, Grpc.PrefixSize + message.Length), endStream: true))
            throw new IOException("The server gives back no window for sixteen small puts.");
        writerConnection.Flush();
    }

    void TakeWatchResponse(ReadOnlySpan<byte> message)
    {
        var response = new ProtobufReader(message);
        while (response.Next())
        {
            if (response.Field == 3 && response.Number != 0)
                created++;
            else if (response.Field == 11)
                TakeEvent(response.Content);
        }
    }

    void TakeEvent(ReadOnlySpan<byte> content)
    {
        events++;
        var place = (int)(ModRevision(content) % RecentRevisions);
        if (++delivered[place] == watchers)
            FinishIfDone(place);
    }

    static long ModRevision(ReadOnlySpan<byte> content)
    {
        var inEvent = new ProtobufReader(content);
        while (inEvent.Next())
        {
            if (inEvent.Field != 2)
                continue;
            var keyValue = new ProtobufReader(inEvent.Content);
            while (keyValue.Next())
            {
                if (keyValue.Field == 3)
                    return (long)keyValue.Number;
            }
        }
        throw new IOException("An event without a mod_revision.");
    }

    void TakePutResponse(int tag, ReadOnlySpan<byte> message)
    {
        var writer = writers[tag - assemblers.Length];
        long revision = 0;
        var response = new ProtobufReader(message);
        while (response.Next())
        {
            if (response.Field != 1)
                continue;
            var header = new ProtobufReader(response.Content);
            while (header.Next())
            {
                if (header.Field == 3)
                    revision = (long)header.Number;
            }
        }
        writer.Answered++;
        var place = (int)(revision % RecentRevisions);
        owners[place] = writer;
        FinishIfDone(place);
    }

    /// <summary>The put's own answer and the last watcher's event come in either order; the later one finishes the round.</summary>
    void FinishIfDone(int place)
    {
        if (delivered[place] < watchers || owners[place] is not { } writer)
            return;
        delivered[place] = 0;
        owners[place] = null;
        writer.Outstanding = false;
        if (measuring)
            latency.Record(Histogram.NanosecondsSince(writer.StartedAt));
        if (issuing)
            Put(writer);
    }

    void RunFor(TimeSpan duration)
    {
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end)
            poller.Turn(timeoutMilliseconds: 20);
    }

    void RunUntil(Func<bool> condition, TimeSpan patience, string otherwise)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(started) > patience)
                throw new TimeoutException($"Watch fan-out: {otherwise} within {patience.TotalSeconds} s.");
            poller.Turn(timeoutMilliseconds: 20);
        }
    }

    sealed class Writer(int tag)
    {
        public readonly int Tag = tag;
        public readonly MessageAssembler Answer = new();
        public long Answered;
        public long Ended;
        public bool Outstanding;
        public long StartedAt;
    }
}
