using System.Diagnostics;
using System.Net;

namespace Benchmarks;

/// <param name="Answered">Calls that succeeded within the measured time.</param>
/// <param name="Failed">Calls that ended without an answer or with one that the workload rejects, at any time.</param>
sealed record LoadResult(long Answered, long Failed, TimeSpan Elapsed, Histogram Latency);

/// <summary>
/// A closed loop: every slot sends its next request as soon as its last was answered. One thread drives all connections. A unary gRPC call that
/// succeeded carries exactly one message and a failed one none, so the loop need not decode trailers.
/// </summary>
sealed class LoadLoop : IStreamHandler, IDisposable
{
    static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(10);

    readonly IWorkload workload;
    readonly Http2Connection[] connections;
    readonly Poller poller;
    readonly Slot[] slots;
    readonly Queue<int> waitingForWindow = new();
    readonly byte[] request = new byte[64 * 1024];
    Histogram latency = new();
    long failed;
    bool measuring;
    bool issuing;
    int outstanding;
    long budget = long.MaxValue;

    /// <param name="servers">Connections are spread over them.</param>
    public LoadLoop(IReadOnlyList<IPEndPoint> servers, IWorkload workload, int connectionCount, int streamsPerConnection)
    {
        this.workload = workload;
        connections = [.. Enumerable.Range(0, connectionCount).Select(n => new Http2Connection(servers[n % servers.Count], workload.Path, this))];
        poller = new Poller(connections);
        slots = new Slot[connectionCount * streamsPerConnection];
        for (var i = 0; i < slots.Length; i++)
            slots[i] = new Slot(connections[i % connectionCount]);
    }

    /// <param name="onMeasureStart">Called when the ramp is over; onMeasureEnd when the time is up. For CPU samples.</param>
    public LoadResult Run(TimeSpan ramp, TimeSpan measured, Action onMeasureStart, Action onMeasureEnd)
    {
        (latency, failed, measuring, issuing) = (new Histogram(), 0, false, true);
        for (var slot = 0; slot < slots.Length; slot++)
            Issue(slot);
        FlushAll();
        RunFor(ramp);
        onMeasureStart();
        measuring = true;
        var started = Stopwatch.GetTimestamp();
        RunFor(measured);
        var elapsed = Stopwatch.GetElapsedTime(started);
        onMeasureEnd();
        measuring = false;
        Drain();
        return new LoadResult(latency.Count, failed, elapsed, latency);
    }

    /// <summary>Sends that many requests and waits for their answers.</summary>
    /// <exception cref="IOException">One of them failed.</exception>
    public void Fill(int requests)
    {
        (failed, issuing, budget) = (0, true, requests);
        for (var slot = 0; slot < slots.Length; slot++)
            Issue(slot);
        FlushAll();
        while (outstanding > 0 || waitingForWindow.Count > 0)
            Turn();
        if (failed > 0)
            throw new IOException($"{failed} of {requests} requests to {workload.Path} failed.");
    }

    public void Received(int tag, ReadOnlySpan<byte> body)
    {
        ref var slot = ref slots[tag];
        if (slot.HeadCount < slot.Head.Length)
        {
            var taken = Math.Min(body.Length, slot.Head.Length - slot.HeadCount);
            body[..taken].CopyTo(slot.Head.AsSpan(slot.HeadCount));
            slot.HeadCount += taken;
        }
        slot.BodyBytes += body.Length;
    }

    public void Ended(int tag, bool reset)
    {
        ref var slot = ref slots[tag];
        outstanding--;
        var whole = !reset && slot.HeadCount >= Grpc.PrefixSize && slot.BodyBytes == Grpc.PrefixSize + Grpc.MessageLength(slot.Head);
        if (whole && workload.Accept(tag, slot.Head.AsSpan(Grpc.PrefixSize, slot.HeadCount - Grpc.PrefixSize), slot.BodyBytes - Grpc.PrefixSize))
        {
            if (measuring)
                latency.Record(Histogram.NanosecondsSince(slot.StartedAt));
        }
        else
        {
            failed++;
        }
        if (issuing)
            Issue(tag);
    }

    public void Dispose()
    {
        foreach (var connection in connections)
            connection.Dispose();
    }

    void RunFor(TimeSpan duration)
    {
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end)
            Turn();
    }

    void Turn()
    {
        poller.Turn(timeoutMilliseconds: 20);
        for (var waiting = waitingForWindow.Count; waiting > 0; waiting--)
            Issue(waitingForWindow.Dequeue());
        FlushAll();
    }

    void Drain()
    {
        issuing = false;
        waitingForWindow.Clear();
        var started = Stopwatch.GetTimestamp();
        while (outstanding > 0 && Stopwatch.GetElapsedTime(started) < DrainTime)
            Turn();
        failed += outstanding;
        outstanding = 0;
    }

    void Issue(int tag)
    {
        if (budget == 0)
            return;
        ref var slot = ref slots[tag];
        var length = Grpc.PrefixSize + workload.Write(tag, request.AsSpan(Grpc.PrefixSize));
        Grpc.WritePrefix(request, length - Grpc.PrefixSize);
        if (!slot.Connection.TryOpen(tag, request.AsSpan(0, length), endStream: true))
        {
            waitingForWindow.Enqueue(tag);
            return;
        }
        outstanding++;
        budget--;
        (slot.HeadCount, slot.BodyBytes, slot.StartedAt) = (0, 0, Stopwatch.GetTimestamp());
    }

    void FlushAll()
    {
        foreach (var connection in connections)
        {
            if (connection.WantsToWrite)
                connection.Flush();
        }
    }

    struct Slot(Http2Connection connection)
    {
        // Enough for a response header and the first key-value's numbers; the rest of a body is only counted.
        public readonly byte[] Head = new byte[512];
        public readonly Http2Connection Connection = connection;
        public int HeadCount;
        public int BodyBytes;
        public long StartedAt;
    }
}
