using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Store.Raft;

namespace Store.Storage;

/// <summary>Whose log it is; all zero: not checked.</summary>
public readonly record struct WalIdentity(ulong ClusterId, ulong MemberId);

/// <summary>
/// The first sector of a segment.
/// <code>
///   0 magic "STOREWAL"   8 format version u32   12 CRC-32C of the rest u32   16 number u64   24 salt u64
///  32 size of the file u64   40 sequence of the first record u64   48 cluster id u64   56 member id u64
/// </code>
/// </summary>
readonly record struct SegmentHeader(ulong Number, ulong Salt, long SegmentBytes, ulong FirstSequence, WalIdentity Identity)
{
    internal const uint FormatVersion = 1;
    static ReadOnlySpan<byte> Magic => "STOREWAL"u8;

    internal static SegmentHeader New(ulong number, long segmentBytes, ulong firstSequence, WalIdentity identity)
    {
        Span<byte> salt = stackalloc byte[8];
        RandomNumberGenerator.Fill(salt);
        return new(number, BinaryPrimitives.ReadUInt64LittleEndian(salt), segmentBytes, firstSequence, identity);
    }

    internal void Write(Span<byte> sector)
    {
        sector.Clear();
        Magic.CopyTo(sector);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[8..], FormatVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[16..], Number);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[24..], Salt);
        BinaryPrimitives.WriteInt64LittleEndian(sector[32..], SegmentBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[40..], FirstSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[48..], Identity.ClusterId);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[56..], Identity.MemberId);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[12..], Crc32C.Compute(sector[16..]));
    }

    internal static SegmentHeader Read(ReadOnlySpan<byte> sector, string path)
    {
        if (sector.Length < Frame.Sector || !sector[..8].SequenceEqual(Magic))
            throw WalDamage.At(path, 0, "this is not a segment of the write-ahead log, or its header is damaged");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(sector[8..]);
        var intact = BinaryPrimitives.ReadUInt32LittleEndian(sector[12..]) == Crc32C.Compute(sector[16..Frame.Sector]);
        if (version != FormatVersion && intact)
        {
            throw new StorageException(
                $"{path}: offset 8: the log has format version {version}, this program knows only {FormatVersion}; start the version of the program that wrote it");
        }
        if (version != FormatVersion || !intact) throw WalDamage.At(path, 0, "the header of the segment is damaged (CRC)");
        return new(
            BinaryPrimitives.ReadUInt64LittleEndian(sector[16..]), BinaryPrimitives.ReadUInt64LittleEndian(sector[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(sector[32..]), BinaryPrimitives.ReadUInt64LittleEndian(sector[40..]),
            new(BinaryPrimitives.ReadUInt64LittleEndian(sector[48..]), BinaryPrimitives.ReadUInt64LittleEndian(sector[56..])));
    }
}

/// <summary>How all damage of the log is told.</summary>
static class WalDamage
{
    internal static StorageException At(string path, long offset, string what) => new(
        $"{path}: offset {offset}: {what}; this member's log cannot be trusted: remove the member from its cluster, empty its data directory and add it again, or restore a backup");
}

/// <summary>
/// One file of the log, open for appending: header, records from the second sector on, zeros, and in the last sector the seal: written once the next
/// segment is in place, so that a missing next segment is noticed.
/// </summary>
sealed class Segment : IDisposable
{
    const string Extension = ".wal";
    static ReadOnlySpan<byte> SealMagic => "WALSEAL1"u8;

    readonly SafeFileHandle file;
    long end;

    internal Segment(string path, SafeFileHandle file, SegmentHeader header, long end)
    {
        Path = path;
        this.file = file;
        Header = header;
        this.end = end;
    }

    internal string Path { get; }

    internal SegmentHeader Header { get; }

    internal long UsedBytes => end;

    internal bool HasRoomFor(int frameBytes) => end + frameBytes <= SealOffset(Header.SegmentBytes);

    internal static long SealOffset(long segmentBytes) => segmentBytes - Frame.Sector;

    /// <summary>What a segment needs besides its records: header, seal, and room for its opening.</summary>
    internal static long BytesFor(int frameBytes, int openingBytes) => frameBytes + openingBytes + (2 * Frame.Sector);

    internal static string PathOf(string folder, ulong number) =>
        System.IO.Path.Combine(folder, number.ToString("x16", CultureInfo.InvariantCulture) + Extension);

    /// <summary>The segments of the folder, oldest first.</summary>
    internal static List<(ulong Number, string Path)> List(string folder)
    {
        var found = new List<(ulong, string)>();
        foreach (var path in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            var name = System.IO.Path.GetFileNameWithoutExtension(path);
            if (name.Length != 16 || !ulong.TryParse(name, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number))
                throw new StorageException($"{path}: this file does not belong to the write-ahead log; move it out of the folder");
            found.Add((number, path));
        }
        found.Sort();
        return found;
    }

    /// <summary>Opens an existing segment whose records end at <paramref name="end"/>.</summary>
    internal static Segment Open(string path, SegmentHeader header, long end) =>
        new(path, Disk.Try(path, "cannot be opened", () => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite)), header, end);

    /// <summary>Appends whole sectors. Not durable before <see cref="Sync"/>.</summary>
    internal void Append(ReadOnlySpan<byte> frame)
    {
        Invariant.Require(HasRoomFor(frame.Length) && frame.Length % Frame.Sector == 0);
        Write(frame, end);
        end += frame.Length;
    }

    internal void WriteHeader()
    {
        Span<byte> sector = stackalloc byte[Frame.Sector];
        Header.Write(sector);
        Write(sector, 0);
        end = Frame.Sector;
    }

    internal void Sync() => Disk.DataSync(file, Path);

    /// <summary>Says, durably, that the log goes on in the next segment.</summary>
    internal void WriteSeal(bool sync)
    {
        Span<byte> sector = stackalloc byte[Frame.Sector];
        sector.Fill(Frame.Filler);
        SealMagic.CopyTo(sector);
        BinaryPrimitives.WriteUInt64LittleEndian(sector[16..], Header.Number + 1);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[8..], Crc32C.Compute(Header.Salt, sector[16..]));
        Write(sector, SealOffset(Header.SegmentBytes));
        if (sync) Sync();
    }

    internal static bool IsSealed(ReadOnlySpan<byte> sector, SegmentHeader header) =>
        sector[..8].SequenceEqual(SealMagic) && BinaryPrimitives.ReadUInt32LittleEndian(sector[8..]) == Crc32C.Compute(header.Salt, sector[16..]);

    /// <summary>Brings [from, to) back to the prepared state, durably, so that the remains of a torn write never come back to life.</summary>
    internal void Blank(long from, long to)
    {
        var zeros = new byte[1 << 20];
        for (var at = from; at < to; at += zeros.Length) Write(zeros.AsSpan(0, (int)Math.Min(zeros.Length, to - at)), at);
        Sync();
    }

    void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(file, bytes, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{Path}: offset {offset}: cannot write {bytes.Length} bytes: {e.Message}", e);
        }
    }

    public void Dispose() => file.Dispose();
}
