using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;

namespace Store.Server;

/// <summary>A message as it comes over HTTP/2: a byte that says whether it is compressed, four of length, the message (gRPC over HTTP/2, wire format).</summary>
static class RequestFrame
{
    public const int PrefixBytes = 5;

    /// <summary>True once the message is there, or a problem is known.</summary>
    public static bool TryRead(in ReadOnlySequence<byte> buffer, int bytesMax, out ReadOnlySequence<byte> message, out bool compressed, out Status? problem)
    {
        (message, compressed, problem) = (default, false, null);
        if (buffer.Length < PrefixBytes) return false;
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        compressed = prefix[0] == 1;
        if (prefix[0] > 1) problem = new Status(StatusCode.Internal, $"grpc: received unexpected payload format {prefix[0]}");
        else if (length > bytesMax) problem = TooLarge(length, bytesMax);
        if (problem is not null) return true;
        if (buffer.Length < PrefixBytes + length) return false;
        message = buffer.Slice(PrefixBytes, length);
        return true;
    }

    public static Status TooLarge(long length, int bytesMax) => new(StatusCode.ResourceExhausted, $"grpc: received message larger than max ({length} vs. {bytesMax})");

    /// <summary>Null when the plain message is too large.</summary>
    /// <exception cref="InvalidDataException">It is not what gzip makes.</exception>
    public static byte[]? Decompress(ReadOnlySequence<byte> message, int bytesMax)
    {
        using var gzip = new GZipStream(new MemoryStream(message.ToArray()), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        var piece = new byte[16 * 1024];
        while (gzip.Read(piece) is > 0 and var count)
        {
            plain.Write(piece.AsSpan(0, count));
            if (plain.Length > bytesMax) return null;
        }

        return plain.ToArray();
    }
}
