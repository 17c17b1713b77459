using System.IO.Pipelines;
using System.Net.Sockets;
using Store.Raft;

namespace Store.Server;

/// <summary>
/// Messages on their way to one member: an outbox and the connection that empties it. The loop's thread encodes and, when the connection is idle, hands the bytes
/// straight to the socket: a wake-up of another thread on the way would cost more than the copy. What the socket does not take at once is left
/// to the writer task. Without a connection messages are dropped: Raft repairs what is lost, and old messages only harm.
/// </summary>
sealed class PeerLink : IAsyncDisposable
{
    const int OutboxBytesMax = 96 << 20;
    /// <summary>More than this is not copied into the socket by the loop's thread.</summary>
    const int DirectBytesMax = 128 << 10;
    static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(1);
    /// <summary>A connection that answers no ping for so long is dead, whatever TCP believes.</summary>
    static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(5);

    readonly PeerNetwork network;
    readonly CancellationTokenSource stopping = new();
    readonly Lock gate = new();
    readonly SemaphoreSlim writerWake = new(0, 1);
    FrameBuffer outbox = new();
    FrameBuffer spare = new();
    Stream? stream;
    Socket? socket;
    bool writerBusy;
    long lastPongTimestamp;
    readonly Task running;

    public PeerLink(PeerNetwork network, NodeId id, IReadOnlyList<string> urls)
    {
        this.network = network;
        Id = id;
        Urls = urls;
        running = Task.Run(RunAsync);
    }

    public NodeId Id { get; }

    public IReadOnlyList<string> Urls { get; set; }

    public bool IsConnected => Volatile.Read(ref stream) is not null;

    /// <summary>Called by the loop's thread only; goes out with <see cref="Flush"/>.</summary>
    public void Add(Message message)
    {
        lock (gate)
        {
            if (stream is null) return;
            if (outbox.Count > OutboxBytesMax)
            {
                // The member takes nothing more: a new connection starts with an empty outbox.
                stream.Dispose();
                return;
            }
            MessageCodec.Write(outbox, message);
        }
    }

    public void Flush()
    {
        lock (gate)
        {
            if (outbox.Count == 0 || writerBusy || stream is null) return;
            if (socket is not null && outbox.Count <= DirectBytesMax)
            {
                var sent = socket.Send(outbox.Written, SocketFlags.None, out var error);
                if (error == SocketError.Success)
                {
                    PeerNetwork.CountSent(Id, sent);
                    outbox.Consume(sent);
                    if (outbox.Count == 0) return;
                }
                // Any other outcome than "would block" shows again in the writer, which ends the connection.
            }
            writerBusy = true;
            if (writerWake.CurrentCount == 0) writerWake.Release();
        }
    }

    async Task RunAsync()
    {
        var backOff = new BackOff();
        for (var attempt = 0; !stopping.IsCancellationRequested; attempt++)
        {
            try
            {
                var urls = Urls;
                var (connected, answer) = await network.Dialer.DialAsync(urls[attempt % urls.Count], Id, PeerChannel.Messages, stopping.Token);
                if (connected is null)
                {
                    network.Refused(Id, answer);
                }
                else
                {
                    backOff.Reset();
                    network.Connected(Id);
                    await ServeAsync(connected);
                }
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or InvalidDataException or UriFormatException or ObjectDisposedException)
            {
                if (!stopping.IsCancellationRequested) network.LostContact(Id, e);
            }
            if (stopping.IsCancellationRequested) return;
            await Task.Delay(backOff.Next(), network.Time, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task ServeAsync(Stream connected)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        lastPongTimestamp = network.Time.GetTimestamp();
        lock (gate)
        {
            outbox.Clear();
            writerBusy = false;
            socket = (connected as NetworkStream)?.Socket;
            if (socket is not null) socket.Blocking = false;
            stream = connected;
        }
        try
        {
            Task[] parts = [ReadPongsAsync(connected, ended.Token), WriteAsync(connected, ended.Token), PingAsync(ended.Token)];
            await await Task.WhenAny(parts);
        }
        finally
        {
            lock (gate)
            {
                stream = null;
                socket = null;
                outbox.Clear();
            }
            await ended.CancelAsync();
            await connected.DisposeAsync();
            network.Disconnected(Id);
        }
    }

    async Task WriteAsync(Stream connected, CancellationToken cancellationToken)
    {
        while (true)
        {
            await writerWake.WaitAsync(cancellationToken);
            while (TakeOutbox() is { } full)
            {
                await connected.WriteAsync(full.WrittenMemory, cancellationToken);
                PeerNetwork.CountSent(Id, full.Count);
                full.Clear();
            }
        }
    }

    /// <summary>What is to be written next; null hands the connection back to the loop's thread.</summary>
    FrameBuffer? TakeOutbox()
    {
        lock (gate)
        {
            if (outbox.Count == 0)
            {
                writerBusy = false;
                return null;
            }
            // Also set when a wake-up left over from the connection before came first: from here on the loop's thread keeps off the socket.
            writerBusy = true;
            (outbox, spare) = (spare, outbox);
            return spare;
        }
    }

    async Task PingAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(PingInterval, network.Time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (network.Time.GetElapsedTime(Volatile.Read(ref lastPongTimestamp)) > SilenceMax) throw new IOException("no answer to pings");
            lock (gate)
            {
                outbox.BeginFrame(FrameType.Ping);
                outbox.WriteLong((ulong)network.Time.GetTimestamp());
                outbox.EndFrame();
            }
            Flush();
        }
    }

    async Task ReadPongsAsync(Stream connected, CancellationToken cancellationToken)
    {
        var input = PipeReader.Create(connected, new(leaveOpen: true));
        await PeerFrames.ReadAsync(input, TakePong, paused: null, cancellationToken);
        throw new IOException("the member closed the connection");
    }

    bool TakePong(FrameType type, ReadOnlyMemory<byte> payload)
    {
        if (type != FrameType.Pong) throw new InvalidDataException($"unexpected frame {type}");
        var sent = (long)new PayloadReader(payload).Long();
        Volatile.Write(ref lastPongTimestamp, network.Time.GetTimestamp());
        PeerNetwork.CountRoundTrip(Id, network.Time.GetElapsedTime(sent));
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        stopping.Dispose();
        writerWake.Dispose();
    }
}
