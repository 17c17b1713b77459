using System.Buffers.Binary;

namespace Store.Server;

/// <summary>Reads what <see cref="FrameBuffer"/> wrote. Running over the end throws <see cref="InvalidDataException"/>: the connection is then closed.</summary>
struct PayloadReader(ReadOnlyMemory<byte> payload)
{
    int position;

    public readonly int Remaining => payload.Length - position;

    public byte Byte() => Take(1)[0];

    public bool Bool() => Byte() != 0;

    public int Int() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public ulong Long() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>A number of things that take at least so many bytes each: never more than the frame can hold.</summary>
    public int Count(int bytesEach)
    {
        var count = Int();
        if (count < 0 || (long)count * bytesEach > Remaining) throw new InvalidDataException("frame announces more than it holds");
        return count;
    }

    public ReadOnlyMemory<byte> Bytes()
    {
        var length = Int();
        if (length < 0 || length > Remaining) throw new InvalidDataException("frame ends too early");
        var bytes = payload.Slice(position, length);
        position += length;
        return bytes;
    }

    /// <summary>A value by its name: numbers of an enumeration may differ between versions that run side by side.</summary>
    public T Name<T>()
        where T : struct, Enum =>
        Enum.TryParse<T>(Text(), out var value) ? value : throw new InvalidDataException($"unknown {typeof(T).Name}");

    public string Text() => System.Text.Encoding.UTF8.GetString(Bytes().Span);

    ReadOnlySpan<byte> Take(int count)
    {
        if (count > Remaining) throw new InvalidDataException("frame ends too early");
        var bytes = payload.Span.Slice(position, count);
        position += count;
        return bytes;
    }
}
