using System.Buffers.Binary;
using Store.Raft;

namespace Store.Storage;

/// <summary>
/// The record of the log: everything that one sync made durable, or nothing of it. It starts on a sector of its own, so that writing it touches no
/// byte that was synced before. All numbers are little-endian.
/// <code>
///   0 magic       u32
///   4 header CRC  u32   CRC-32C of the segment's salt and bytes 8..32
///   8 sequence    u64   rises by one from record to record, across segments
///  16 length      u32   of the payload
///  20 blank       u32   how many of the record's sectors hold nothing but zeros
///  24 body CRC    u32   CRC-32C of the segment's salt, the payload and the filler
///  28 reserved    u32   zero
///  32 payload: items, see <see cref="FrameWriter"/>; then filler to the end of the sector
/// </code>
/// The salt is random for each segment: bytes that only look like a record, in a client's value or from an older life of the file, do not pass for one.
/// "blank" tells a write that the crash cut short (more zero sectors than were written) from damage (all written, CRC wrong).
/// </summary>
static class Frame
{
    internal const uint Magic = 0x31_46_57_53; // "SWF1"
    internal const int Sector = 512;
    internal const int HeaderBytes = 32;
    /// <summary>Not zero, so that a sector with a short end of a payload is never blank.</summary>
    internal const byte Filler = 0xA5;

    internal static int RoundUp(int bytes) => (bytes + Sector - 1) & ~(Sector - 1);

    internal static bool IsBlank(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);

    internal static int CountBlankSectors(ReadOnlySpan<byte> sectors)
    {
        var blank = 0;
        for (var at = 0; at < sectors.Length; at += Sector)
        {
            if (IsBlank(sectors.Slice(at, Sector))) blank++;
        }
        return blank;
    }

    /// <summary>Fills in header and filler; <paramref name="frame"/> is whole sectors, its payload already in place.</summary>
    internal static void Seal(Span<byte> frame, int payloadBytes, ulong sequence, ulong salt)
    {
        frame[(HeaderBytes + payloadBytes)..].Fill(Filler);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[8..], sequence);
        BinaryPrimitives.WriteInt32LittleEndian(frame[16..], payloadBytes);
        BinaryPrimitives.WriteInt32LittleEndian(frame[20..], CountBlankSectors(frame));
        BinaryPrimitives.WriteUInt32LittleEndian(frame[24..], Crc32C.Compute(salt, frame[HeaderBytes..]));
        BinaryPrimitives.WriteUInt32LittleEndian(frame[28..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Crc32C.Compute(salt, frame[8..HeaderBytes]));
    }

    /// <summary>Judges what stands at a record's place.</summary>
    /// <param name="rest">The segment from there up to its seal.</param>
    internal static FrameReading Read(ReadOnlySpan<byte> rest, ulong sequence, ulong salt)
    {
        if (rest.IsEmpty || IsBlank(rest[..Sector])) return new(FrameState.Absent, default, 0);
        if (!TryReadHeader(rest, salt, out var found, out var payloadBytes)) return new(FrameState.HeaderDamaged, default, 0);
        if (found != sequence) return new(FrameState.OutOfSequence, default, 0);

        var size = RoundUp(HeaderBytes + payloadBytes);
        if (size > rest.Length) return new(FrameState.BodyDamaged, default, 0);
        var body = rest[HeaderBytes..size];
        if (Crc32C.Compute(salt, body) == BinaryPrimitives.ReadUInt32LittleEndian(rest[24..]))
            return new(FrameState.Whole, body[..payloadBytes], size);

        var blankWhenWritten = BinaryPrimitives.ReadInt32LittleEndian(rest[20..]);
        return new(CountBlankSectors(rest[..size]) > blankWhenWritten ? FrameState.Torn : FrameState.BodyDamaged, default, size);
    }

    internal static bool TryReadHeader(ReadOnlySpan<byte> sector, ulong salt, out ulong sequence, out int payloadBytes)
    {
        sequence = BinaryPrimitives.ReadUInt64LittleEndian(sector[8..]);
        payloadBytes = BinaryPrimitives.ReadInt32LittleEndian(sector[16..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(sector) == Magic
            && BinaryPrimitives.ReadUInt32LittleEndian(sector[4..]) == Crc32C.Compute(salt, sector[8..HeaderBytes])
            && payloadBytes >= 0;
    }
}

enum FrameState
{
    Whole,
    /// <summary>The first sector is as it was prepared: the log ends here, or the record's first sector did not make it.</summary>
    Absent,
    /// <summary>Some sectors were not written: what a crash before the sync leaves.</summary>
    Torn,
    HeaderDamaged,
    BodyDamaged,
    OutOfSequence,
}

readonly ref struct FrameReading(FrameState state, ReadOnlySpan<byte> payload, int size)
{
    internal readonly FrameState State = state;
    internal readonly ReadOnlySpan<byte> Payload = payload;
    /// <summary>In bytes, whole sectors.</summary>
    internal readonly int Size = size;
}

/// <summary>What a payload is made of: one byte of kind, then the item.</summary>
enum FrameItem : byte
{
    /// <summary>term u64, vote u64, commit u64.</summary>
    HardState = 1,
    /// <summary>first index u64, count u32, then for each: term u64, kind u8, length u32, data. Cuts the log before the first index.</summary>
    Entries = 2,
    /// <summary>index u64, term u64, config: the log starts anew behind this point.</summary>
    Start = 3,
    /// <summary>Like Start, but only repeats where the log stands: the first item of each segment, so that the segments before it can go.</summary>
    Opening = 4,
}

/// <summary>Builds one record in a buffer that is used again and again.</summary>
sealed class FrameWriter
{
    const int KeptBytesMax = 2 << 20;

    byte[] buffer = new byte[64 << 10];
    int length = Frame.HeaderBytes;

    internal int PayloadBytes => length - Frame.HeaderBytes;

    internal int SizeBytes => Frame.RoundUp(length);

    internal static int SizeOf(Entry entry) => 13 + entry.Data.Length;

    internal void Clear()
    {
        length = Frame.HeaderBytes;
        if (buffer.Length > KeptBytesMax) buffer = new byte[64 << 10];
    }

    internal void Add(HardState state)
    {
        Byte((byte)FrameItem.HardState);
        UInt64(state.Term.Value);
        UInt64(state.VotedFor.Value);
        UInt64(state.Commit.Value);
    }

    internal void Add(FrameItem kind, SnapshotMetadata point)
    {
        Byte((byte)kind);
        UInt64(point.Index.Value);
        UInt64(point.Term.Value);
        UInt32(point.Config.Voters.Count);
        foreach (var voter in point.Config.Voters) UInt64(voter.Value);
        UInt32(point.Config.Learners.Count);
        foreach (var learner in point.Config.Learners) UInt64(learner.Value);
    }

    /// <summary>Entries [from, to) of the list.</summary>
    internal void Add(IReadOnlyList<Entry> entries, int from, int to)
    {
        Byte((byte)FrameItem.Entries);
        UInt64(entries[from].Index.Value);
        UInt32(to - from);
        for (var i = from; i < to; i++)
        {
            var entry = entries[i];
            Invariant.Require(entry.Index == entries[from].Index + (ulong)(i - from));
            UInt64(entry.Term.Value);
            Byte((byte)entry.Kind);
            UInt32(entry.Data.Length);
            entry.Data.Span.CopyTo(Take(entry.Data.Length));
        }
    }

    /// <summary>The finished record, in whole sectors.</summary>
    internal ReadOnlySpan<byte> Finish(ulong sequence, ulong salt)
    {
        Reserve(SizeBytes - length);
        var frame = buffer.AsSpan(0, SizeBytes);
        Frame.Seal(frame, PayloadBytes, sequence, salt);
        return frame;
    }

    void Byte(byte value) => Take(1)[0] = value;

    void UInt32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    Span<byte> Take(int bytes)
    {
        Reserve(bytes);
        var taken = buffer.AsSpan(length, bytes);
        length += bytes;
        return taken;
    }

    void Reserve(int bytes)
    {
        if (buffer.Length - length >= bytes) return;
        Array.Resize(ref buffer, Frame.RoundUp(Math.Max(buffer.Length * 2, length + bytes)));
    }
}
