using System.Buffers.Binary;

namespace Store.Storage;

/// <summary>What a snapshot is cut into on its way. Each piece is one message of the transport, which keeps their borders; they come in this order.</summary>
enum SnapshotPieceKind : byte
{
    /// <summary>Text: the metadata and the parts with their sizes (see <see cref="SnapshotFile"/>).</summary>
    Begin = 1,
    /// <summary>The next bytes of the part at hand.</summary>
    Data = 2,
    /// <summary>The part's CRC-32C, u32.</summary>
    PartEnd = 3,
    /// <summary>Nothing: all parts were sent.</summary>
    End = 4,
}

/// <summary>
/// <code>0 kind u8   1 number u32 (rises by one)   5 CRC-32C of kind, number and content u32   9 content</code>, little-endian. A piece that is
/// changed, lost, doubled or out of order is noticed at once.
/// </summary>
static class SnapshotPiece
{
    internal const int HeaderBytes = 9;

    internal static byte[] Make(SnapshotPieceKind kind, uint number, ReadOnlySpan<byte> content)
    {
        var piece = new byte[HeaderBytes + content.Length];
        content.CopyTo(piece.AsSpan(HeaderBytes));
        Finish(piece, kind, number);
        return piece;
    }

    /// <summary>Writes the header before the content that is already in place.</summary>
    internal static void Finish(Span<byte> piece, SnapshotPieceKind kind, uint number)
    {
        piece[0] = (byte)kind;
        BinaryPrimitives.WriteUInt32LittleEndian(piece[1..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(piece[5..], Crc(piece));
    }

    /// <summary>Null when the piece is not the one expected or not intact.</summary>
    internal static SnapshotPieceKind? Check(ReadOnlySpan<byte> piece, uint number)
    {
        if (piece.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(piece[1..]) != number) return null;
        return BinaryPrimitives.ReadUInt32LittleEndian(piece[5..]) == Crc(piece) ? (SnapshotPieceKind)piece[0] : null;
    }

    static uint Crc(ReadOnlySpan<byte> piece) =>
        Crc32C.Compute(((ulong)piece[0] << 32) | BinaryPrimitives.ReadUInt32LittleEndian(piece[1..]), piece[HeaderBytes..]);
}
