using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Store.Storage;

namespace Store.Server;

/// <summary>Takes frames off a connection.</summary>
static class PeerFrames
{
    /// <summary>
    /// Hands every frame to <paramref name="handle"/>, in memory that then belongs to it, and calls <paramref name="paused"/> whenever all that has arrived was handed out.
    /// Ends when the other side closes or <paramref name="handle"/> answers false; throws <see cref="InvalidDataException"/> on damage.
    /// </summary>
    public static async Task ReadAsync(
        PipeReader input, Func<FrameType, ReadOnlyMemory<byte>, bool> handle, Action? paused, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            var goOn = true;
            while (goOn && TryTake(ref buffer, out var body)) goOn = handle((FrameType)body.Span[0], body[1..]);
            input.AdvanceTo(buffer.Start, buffer.End);
            paused?.Invoke();
            if (!goOn || read.IsCompleted || read.IsCanceled) return;
        }
    }

    /// <summary>The same, one frame at a time, for a receiver that has to wait in between: what it does not take yet stays with the sender.</summary>
    public static async IAsyncEnumerable<(FrameType Type, ReadOnlyMemory<byte> Payload)> EnumerateAsync(
        PipeReader input, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (TryTake(ref buffer, out var body))
            {
                input.AdvanceTo(buffer.Start);
                yield return ((FrameType)body.Span[0], body[1..]);
                continue;
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted || read.IsCanceled) yield break;
        }
    }

    static bool TryTake(ref ReadOnlySequence<byte> buffer, out ReadOnlyMemory<byte> body)
    {
        body = default;
        if (buffer.Length < FrameBuffer.HeaderBytes) return false;
        Span<byte> header = stackalloc byte[FrameBuffer.HeaderBytes];
        buffer.Slice(0, FrameBuffer.HeaderBytes).CopyTo(header);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < 1 or > FrameBuffer.FrameBytesMax) throw new InvalidDataException("frame of an impossible length");
        if (buffer.Length < FrameBuffer.HeaderBytes + length) return false;
        // Most of what arrives is entries, which stay as they came.
        var taken = EntryMemory.Take(length);
        buffer.Slice(FrameBuffer.HeaderBytes, length).CopyTo(taken.Span);
        body = taken;
        if (Crc32C.Compute(taken.Span) != BinaryPrimitives.ReadUInt32LittleEndian(header[4..])) throw new InvalidDataException("frame with a wrong checksum");
        buffer = buffer.Slice(FrameBuffer.HeaderBytes + length);
        return true;
    }
}
