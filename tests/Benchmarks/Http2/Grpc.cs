using System.Buffers.Binary;

namespace Benchmarks;

/// <summary>gRPC's own framing inside a body: one byte "compressed", four bytes length, the message.</summary>
static class Grpc
{
    public const int PrefixSize = 5;

    public static void WritePrefix(Span<byte> to, int messageLength)
    {
        to[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(to[1..], messageLength);
    }

    public static int MessageLength(ReadOnlySpan<byte> body) => BinaryPrimitives.ReadInt32BigEndian(body[1..]);
}
