using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Store.Storage;

namespace Store.Server;

/// <summary>
/// Frames of the peer protocol, written one behind the other into memory of their own: length of what follows the checksum (4 bytes), CRC-32C of it (4),
/// type (1), payload. All numbers little-endian. Not for two threads at once.
/// </summary>
sealed class FrameBuffer : IBufferWriter<byte>
{
    internal const int HeaderBytes = 8;

    /// <summary>A reader refuses longer frames. Raft bounds an append at 1 MiB plus one entry, requests at a few MiB.</summary>
    internal const int FrameBytesMax = 64 << 20;

    /// <summary>Memory beyond this is given back once it was emptied.</summary>
    const int KeepBytesMax = 1 << 20;

    byte[] bytes = new byte[16 << 10];
    int start;
    int end;
    int frame = -1;

    public int Count => end - start;

    public ReadOnlySpan<byte> Written => bytes.AsSpan(start, end - start);

    public ReadOnlyMemory<byte> WrittenMemory => bytes.AsMemory(start, end - start);

    public void BeginFrame(FrameType type)
    {
        frame = end;
        GetSpan(HeaderBytes + 1);
        end += HeaderBytes;
        WriteByte((byte)type);
    }

    public void EndFrame()
    {
        var body = bytes.AsSpan(frame + HeaderBytes, end - frame - HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(frame), body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(frame + 4), Crc32C.Compute(body));
        frame = -1;
    }

    public void WriteByte(byte value)
    {
        GetSpan(1)[0] = value;
        end++;
    }

    public void WriteBool(bool value) => WriteByte(value ? (byte)1 : (byte)0);

    public void WriteInt(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(GetSpan(4), value);
        end += 4;
    }

    public void WriteLong(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(GetSpan(8), value);
        end += 8;
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        WriteInt(value.Length);
        value.CopyTo(GetSpan(value.Length));
        end += value.Length;
    }

    public void WriteText(string text) => WriteBytes(Encoding.UTF8.GetBytes(text));

    public void Consume(int count)
    {
        start += count;
        if (start < end) return;
        Clear();
    }

    public void Clear()
    {
        start = end = 0;
        if (bytes.Length > KeepBytesMax) bytes = new byte[16 << 10];
    }

    public void Advance(int count) => end += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsMemory(end);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsSpan(end);
    }

    void Reserve(int count)
    {
        if (bytes.Length - end >= Math.Max(count, 1)) return;
        var used = end - start;
        var target = used + count > bytes.Length / 2 ? new byte[Math.Max(bytes.Length * 2, used + count)] : bytes;
        bytes.AsSpan(start, used).CopyTo(target);
        if (frame >= 0) frame -= start;
        bytes = target;
        start = 0;
        end = used;
    }
}
