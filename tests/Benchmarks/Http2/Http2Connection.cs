using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Benchmarks;

/// <summary>Hears what happens on a connection's streams, on the thread that calls <see cref="Http2Connection.ReadAvailable"/>.</summary>
interface IStreamHandler
{
    /// <summary>A piece of a stream's response body; gRPC messages may be cut anywhere.</summary>
    void Received(int tag, ReadOnlySpan<byte> body);

    /// <param name="reset">The server reset the stream instead of ending it.</param>
    void Ended(int tag, bool reset);
}

/// <summary>
/// The client's half of one cleartext HTTP/2 connection, cut down to what gRPC calls need and made by hand so that a request costs the generator
/// microseconds (a full client costs more than the servers under test). Response headers are not decoded: whether a call succeeded shows in its
/// body, see <see cref="LoadLoop"/>. One thread.
/// </summary>
sealed class Http2Connection : IDisposable
{
    // So large that only the refill below is ever sent; a stream never lives long enough to use up its own.
    const int ReceiveWindow = 1 << 30;
    const int DefaultWindow = 65_535;

    static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    readonly Socket socket;
    readonly RequestHeaders headers;
    readonly IStreamHandler handler;
    readonly Dictionary<int, int> tags = [];
    readonly byte[] incoming = new byte[256 * 1024];
    int incomingCount;
    byte[] outgoing = new byte[64 * 1024];
    int outgoingCount;
    int nextStream = 1;
    long sendWindow = DefaultWindow;
    int receivedSinceRefill;

    public Http2Connection(IPEndPoint server, string path, IStreamHandler handler)
    {
        this.handler = handler;
        headers = new RequestHeaders(path, server.ToString());
        socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(server);
        socket.Blocking = false;
        Write(Preface);
        Span<byte> settings = stackalloc byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(settings, 4); // SETTINGS_INITIAL_WINDOW_SIZE
        BinaryPrimitives.WriteInt32BigEndian(settings[2..], ReceiveWindow);
        WriteFrame(FrameType.Settings, FrameFlags.None, 0, settings);
        WriteWindowUpdate(ReceiveWindow - DefaultWindow);
        Flush();
    }

    public int Handle => (int)socket.Handle;

    /// <summary>Bytes wait for the socket to take them.</summary>
    public bool WantsToWrite => outgoingCount > 0;

    /// <summary>Opens a stream with this body (a gRPC frame: flag, length, message). False when the connection's window is used up for now.</summary>
    /// <param name="tag">Handed back to the handler with everything that arrives on the stream.</param>
    /// <param name="endStream">False for a stream that stays open in our direction, as a watch does.</param>
    public bool TryOpen(int tag, ReadOnlySpan<byte> body, bool endStream)
    {
        if (sendWindow < body.Length)
            return false;
        var stream = nextStream;
        nextStream += 2;
        tags.Add(stream, tag);
        WriteFrame(FrameType.Headers, FrameFlags.EndHeaders, stream, stream == 1 ? headers.First : headers.Later);
        WriteFrame(FrameType.Data, endStream ? FrameFlags.EndStreamOrAck : FrameFlags.None, stream, body);
        sendWindow -= body.Length;
        return true;
    }

    /// <summary>Hands what was written to the socket, as much as it takes.</summary>
    public void Flush()
    {
        var sent = 0;
        while (sent < outgoingCount)
        {
            var count = socket.Send(outgoing.AsSpan(sent, outgoingCount - sent), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
                break;
            if (error != SocketError.Success)
                throw new IOException($"The connection to {socket.RemoteEndPoint} broke while sending: {error}");
            sent += count;
        }
        outgoing.AsSpan(sent, outgoingCount - sent).CopyTo(outgoing);
        outgoingCount -= sent;
    }

    /// <summary>Takes everything the socket holds and reports it to the handler.</summary>
    public void ReadAvailable()
    {
        while (true)
        {
            var count = socket.Receive(incoming.AsSpan(incomingCount), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
                return;
            if (error != SocketError.Success || count == 0)
                throw new IOException($"The server {socket.RemoteEndPoint} closed the connection: {error}");
            incomingCount += count;
            var full = incomingCount == incoming.Length;
            ReadFrames();
            if (!full)
                return;
        }
    }

    public void Dispose() => socket.Dispose();

    void ReadFrames()
    {
        var read = 0;
        while (incomingCount - read >= FrameHeader.Size)
        {
            var frame = FrameHeader.Read(incoming.AsSpan(read));
            if (incomingCount - read < FrameHeader.Size + frame.Length)
                break;
            Take(frame, incoming.AsSpan(read + FrameHeader.Size, frame.Length));
            read += FrameHeader.Size + frame.Length;
        }
        incoming.AsSpan(read, incomingCount - read).CopyTo(incoming);
        incomingCount -= read;
    }

    void Take(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        switch (frame.Type)
        {
            case FrameType.Data:
                TakeData(frame, payload);
                break;
            case FrameType.Headers when frame.Flags.HasFlag(FrameFlags.EndStreamOrAck):
                End(frame.Stream, reset: false);
                break;
            case FrameType.ResetStream:
                End(frame.Stream, reset: true);
                break;
            case FrameType.Settings when !frame.Flags.HasFlag(FrameFlags.EndStreamOrAck):
                WriteFrame(FrameType.Settings, FrameFlags.EndStreamOrAck, 0, []);
                break;
            case FrameType.Ping when !frame.Flags.HasFlag(FrameFlags.EndStreamOrAck):
                WriteFrame(FrameType.Ping, FrameFlags.EndStreamOrAck, 0, payload);
                break;
            case FrameType.WindowUpdate when frame.Stream == 0:
                sendWindow += BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
                break;
            case FrameType.GoAway:
                throw new IOException($"The server {socket.RemoteEndPoint} sent GOAWAY, code {BinaryPrimitives.ReadInt32BigEndian(payload[4..])}");
        }
    }

    void TakeData(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        receivedSinceRefill += payload.Length;
        if (receivedSinceRefill > ReceiveWindow / 2)
        {
            WriteWindowUpdate(receivedSinceRefill);
            receivedSinceRefill = 0;
        }
        if (frame.Flags.HasFlag(FrameFlags.Padded))
            payload = payload[1..^payload[0]];
        if (tags.TryGetValue(frame.Stream, out var tag))
            handler.Received(tag, payload);
        if (frame.Flags.HasFlag(FrameFlags.EndStreamOrAck))
            End(frame.Stream, reset: false);
    }

    void End(int stream, bool reset)
    {
        if (tags.Remove(stream, out var tag))
            handler.Ended(tag, reset);
    }

    void WriteWindowUpdate(int increment)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, increment);
        WriteFrame(FrameType.WindowUpdate, FrameFlags.None, 0, payload);
    }

    void WriteFrame(FrameType type, FrameFlags flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[FrameHeader.Size];
        new FrameHeader(payload.Length, type, flags, stream).Write(header);
        Write(header);
        Write(payload);
    }

    void Write(ReadOnlySpan<byte> bytes)
    {
        if (outgoing.Length - outgoingCount < bytes.Length)
            Array.Resize(ref outgoing, Math.Max(outgoing.Length * 2, outgoingCount + bytes.Length));
        bytes.CopyTo(outgoing.AsSpan(outgoingCount));
        outgoingCount += bytes.Length;
    }
}
