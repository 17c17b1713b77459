using System.Buffers.Binary;

namespace Benchmarks;

enum FrameType : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    ResetStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

[Flags]
enum FrameFlags : byte
{
    None = 0,
    EndStreamOrAck = 1,
    EndHeaders = 4,
    Padded = 8,
}

/// <summary>The nine bytes before every HTTP/2 frame (RFC 9113, section 4.1).</summary>
readonly record struct FrameHeader(int Length, FrameType Type, FrameFlags Flags, int Stream)
{
    public const int Size = 9;

    public static FrameHeader Read(ReadOnlySpan<byte> from) => new(
        (from[0] << 16) | (from[1] << 8) | from[2],
        (FrameType)from[3],
        (FrameFlags)from[4],
        BinaryPrimitives.ReadInt32BigEndian(from[5..]) & int.MaxValue);

    public void Write(Span<byte> to)
    {
        to[0] = (byte)(Length >> 16);
        to[1] = (byte)(Length >> 8);
        to[2] = (byte)Length;
        to[3] = (byte)Type;
        to[4] = (byte)Flags;
        BinaryPrimitives.WriteInt32BigEndian(to[5..], Stream);
    }
}
