using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EndToEnd.Tests;

/// <summary>A TCP connection on which anything can be said, and HTTP/2 frames (RFC 9113 §4) of whatever content.</summary>
sealed class RawConnection : IDisposable
{
    public const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, GoAway = 7, Continuation = 9;
    public const byte EndStream = 1, EndHeaders = 4;

    readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public static async Task<RawConnection> OpenAsync(int port, CancellationToken cancellationToken)
    {
        var connection = new RawConnection();
        await connection.socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        return connection;
    }

    /// <summary>With preface and empty settings sent.</summary>
    public static async Task<RawConnection> OpenHttp2Async(int port, CancellationToken cancellationToken)
    {
        var connection = await OpenAsync(port, cancellationToken);
        await connection.TrySendAsync((byte[])[.. Preface, .. Frame(Settings, 0, 0, [])], cancellationToken);
        return connection;
    }

    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)payload.Length << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>A gRPC call's header block: literals that the receiver does not remember (RFC 7541 §6.2.2).</summary>
    public static byte[] CallHeaders(string path) =>
    [
        .. Header(":method", "POST"), .. Header(":scheme", "http"), .. Header(":path", path), .. Header(":authority", "127.0.0.1"),
        .. Header("content-type", "application/grpc"), .. Header("te", "trailers"),
    ];

    /// <summary>Name and value of up to 126 bytes each.</summary>
    public static byte[] Header(string name, string value) =>
        [0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];

    /// <summary>False when the server has closed the connection.</summary>
    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes, cancellationToken)..];
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Says that nothing follows.</summary>
    public void Finish()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Closed by the server already.
        }
    }

    /// <summary>Throws away what comes until the server closes the connection.</summary>
    public async Task<long> ReadToEndAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16 << 10];
        long total = 0;
        try
        {
            while (await socket.ReceiveAsync(buffer, cancellationToken) is > 0 and var count) total += count;
        }
        catch (SocketException)
        {
            // A reset is an end, too.
        }

        return total;
    }

    public void Dispose() => socket.Dispose();
}
