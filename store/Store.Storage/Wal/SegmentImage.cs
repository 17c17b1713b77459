using System.Runtime.InteropServices;

namespace Store.Storage;

/// <summary>A segment read into memory outside of the managed heap, so that starting leaves nothing behind.</summary>
sealed unsafe class SegmentImage : IDisposable
{
    readonly byte* memory;
    readonly int length;

    SegmentImage(string path, SegmentHeader header)
    {
        Path = path;
        Header = header;
        length = checked((int)header.SegmentBytes);
        memory = (byte*)NativeMemory.Alloc((nuint)length);
    }

    internal string Path { get; }

    internal SegmentHeader Header { get; }

    ReadOnlySpan<byte> Bytes => new(memory, length);

    /// <summary>The part that records may use.</summary>
    internal ReadOnlySpan<byte> Records => Bytes[..(int)Segment.SealOffset(length)];

    internal bool IsSealed => Segment.IsSealed(Bytes[(int)Segment.SealOffset(length)..], Header);

    /// <summary>The offset behind the last byte that is not zero, rounded up to a sector.</summary>
    internal long UsedBytes => Frame.RoundUp(Bytes.LastIndexOfAnyExcept((byte)0) + 1);

    internal static SegmentImage Read(string path, SegmentHeader header)
    {
        var image = new SegmentImage(path, header);
        try
        {
            Disk.Try(path, "cannot be read", () => image.Fill());
            return image;
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    void Fill()
    {
        using var file = File.OpenHandle(Path);
        for (var at = 0; at < length;)
        {
            var read = RandomAccess.Read(file, new Span<byte>(memory + at, length - at), at);
            if (read == 0) throw WalDamage.At(Path, at, $"the segment was cut short: it has {at} bytes, {length} were prepared");
            at += read;
        }
    }

    internal static SegmentHeader ReadHeader(string path)
    {
        var sector = new byte[Frame.Sector];
        var (read, size) = Disk.Try(path, "cannot be read", () =>
        {
            using var file = File.OpenHandle(path);
            return (RandomAccess.Read(file, sector, 0), RandomAccess.GetLength(file));
        });
        var header = SegmentHeader.Read(sector.AsSpan(0, read), path);
        if (size != header.SegmentBytes)
            throw WalDamage.At(path, Math.Min(size, header.SegmentBytes), $"the segment has {size} bytes, {header.SegmentBytes} were prepared");
        return header;
    }

    public void Dispose() => NativeMemory.Free(memory);
}
