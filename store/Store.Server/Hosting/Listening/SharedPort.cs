using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>
/// One socket that speaks HTTP/2 with prior knowledge (gRPC) and HTTP/1.1 in clear (design S9). Kestrel alone takes every cleartext connection of
/// such a port for HTTP/1.1, so two Kestrel endpoints share the socket and <see cref="PumpAsync"/> hands each connection to the right one. A port with TLS has one endpoint, to which all go: ALPN decides there.
/// </summary>
sealed class SharedPort : IAsyncDisposable
{
    /// <summary>A connection that has not shown its protocol by then is closed: it may be a port scan or a client that died.</summary>
    public static readonly TimeSpan RecognitionTimeMax = TimeSpan.FromSeconds(10);

    readonly IConnectionListener listener;
    readonly TimeProvider time;
    readonly ILogger logger;
    readonly CancellationTokenSource stopping = new();
    readonly Channel<ConnectionContext>[] accepted = [.. Enum.GetValues<ClientProtocol>().Select(_ => Channel.CreateUnbounded<ConnectionContext>())];
    readonly Lock gate = new();
    Task? pump;
    int open;
    bool released;

    SharedPort(IConnectionListener listener, bool secured, TimeProvider time, ILogger logger)
    {
        IsSecured = secured;
        this.listener = listener;
        this.time = time;
        this.logger = logger;
    }

    public EndPoint EndPoint => listener.EndPoint;

    /// <summary>TLS and nothing else.</summary>
    public bool IsSecured { get; }

    /// <summary>Takes the port; connections wait in its backlog until <see cref="Release"/>.</summary>
    public static async Task<SharedPort> BindAsync(
        IConnectionListenerFactory sockets, EndPoint endPoint, bool secured, TimeProvider time, ILogger logger, CancellationToken cancellationToken) =>
        new(await sockets.BindAsync(endPoint, cancellationToken), secured, time, logger);

    public SharedPortEndPoint For(ClientProtocol protocol) => new(this, protocol);

    internal IConnectionListener Open(SharedPortEndPoint endPoint)
    {
        lock (gate)
        {
            open++;
            StartPump();
        }

        return new Half(this, endPoint);
    }

    /// <summary>Lets clients in.</summary>
    public void Release()
    {
        lock (gate)
        {
            released = true;
            StartPump();
        }
    }

    /// <summary>Only when all endpoints are there: a connection must never wait for one that is still to come.</summary>
    void StartPump()
    {
        if (released && open == (IsSecured ? 1 : 2)) pump ??= PumpAsync();
    }

    async Task PumpAsync()
    {
        try
        {
            while (await listener.AcceptAsync(stopping.Token) is { } connection)
            {
                // Not awaited: a slow connection keeps nobody waiting but itself.
                _ = RecognizeAsync(connection);
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception exception)
        {
            Log.AcceptFailed(logger, EndPoint.ToString()!, exception);
        }
        finally
        {
            foreach (var half in accepted) half.Writer.TryComplete();
        }
    }

    async Task RecognizeAsync(ConnectionContext connection)
    {
        try
        {
            var protocol = IsSecured ? ClientProtocol.Tls : await PeekAsync(connection.Transport.Input);
            if (protocol is { } known && accepted[(int)known].Writer.TryWrite(connection)) return;
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ConnectionAbortedException or ConnectionResetException)
        {
        }

        await connection.DisposeAsync();
    }

    /// <summary>Null when the peer went away or the time was up. Leaves every byte in the pipe, and the next read returns at once.</summary>
    async Task<ClientProtocol?> PeekAsync(PipeReader input)
    {
        await using var timeout = time.CreateTimer(static reader => ((PipeReader)reader!).CancelPendingRead(), input, RecognitionTimeMax, Timeout.InfiniteTimeSpan);
        long seen = 0;
        while (true)
        {
            var read = await input.ReadAsync(stopping.Token);
            var buffer = read.Buffer;
            if (ProtocolPreface.Recognize(buffer) is { } protocol && !buffer.IsEmpty)
            {
                // What was examined cannot be taken back; but the bytes that decided came after it, so Kestrel's read will not wait.
                input.AdvanceTo(buffer.Start, buffer.GetPosition(seen));
                return protocol;
            }

            if (read.IsCanceled || read.IsCompleted) return null;
            seen = buffer.Length;
            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    /// <summary>Takes no more connections; those that are there go on.</summary>
    public async ValueTask UnbindAsync()
    {
        await listener.UnbindAsync(CancellationToken.None);
        await stopping.CancelAsync();
        if (pump is { } running) await running;
        // A port that was never released has no pump to end what Kestrel waits for; without this a member that fails before it serves could not end.
        foreach (var half in accepted) half.Writer.TryComplete();
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        await listener.DisposeAsync();
    }

    /// <summary>What Kestrel sees of the port: the connections of one protocol.</summary>
    sealed class Half(SharedPort port, SharedPortEndPoint endPoint) : IConnectionListener
    {
        public EndPoint EndPoint => endPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            var reader = port.accepted[(int)endPoint.Protocol].Reader;
            while (await reader.WaitToReadAsync(cancellationToken))
                if (reader.TryRead(out var connection)) return connection;
            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => port.UnbindAsync();

        public ValueTask DisposeAsync() => default;
    }
}

/// <summary>One protocol's half of a <see cref="SharedPort"/>, as an address for Kestrel.</summary>
sealed class SharedPortEndPoint(SharedPort port, ClientProtocol protocol) : EndPoint
{
    public SharedPort Port => port;

    public ClientProtocol Protocol => protocol;

    public override string ToString() => port.EndPoint.ToString()!;
}

/// <summary>Lets Kestrel listen on a <see cref="SharedPortEndPoint"/>; every other address stays with the socket transport.</summary>
sealed class SharedPortListenerFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is SharedPortEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var half = (SharedPortEndPoint)endpoint;
        return ValueTask.FromResult(half.Port.Open(half));
    }
}
