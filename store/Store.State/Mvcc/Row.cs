using System.Buffers.Binary;
using Store.Raft;

namespace Store.State;

/// <summary>
/// One row of <see cref="Table.Revisions"/>: a header of 24 bytes, then the encoded KeyValue. One array serves the engine, the cache and the watchers;
/// the KeyValue on the wire is a slice of it.
/// </summary>
/// <remarks>
/// byte 0      format, 1
/// byte 1      flags: 1 tombstone
/// bytes 2-3   zero
/// bytes 4-7   sub of the superseded row          (all numbers big-endian)
/// bytes 8-15  main revision of the superseded row, zero for none
/// bytes 16-23 bytes of quota that all changes before this row have superseded, see <see cref="SpaceUsage"/>
/// </remarks>
static class Row
{
    public const int HeaderBytes = 24;
    public const int KeyBytes = 12;
    const byte Format = 1;

    public static int Size(in KeyValueFields fields) => HeaderBytes + KeyValueCodec.Size(fields);

    public static byte[] Encode(in KeyValueFields fields, bool tombstone, RowId superseded, long supersededBytes)
    {
        var row = new byte[Size(fields)];
        Write(row, fields, tombstone, superseded, supersededBytes);
        return row;
    }

    /// <param name="row">Exactly <see cref="Size"/> bytes, of any content.</param>
    public static void Write(Span<byte> row, in KeyValueFields fields, bool tombstone, RowId superseded, long supersededBytes)
    {
        row[0] = Format;
        row[1] = tombstone ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt16BigEndian(row[2..], 0);
        BinaryPrimitives.WriteInt32BigEndian(row[4..], superseded.Sub);
        BinaryPrimitives.WriteInt64BigEndian(row[8..], superseded.Main.Value);
        BinaryPrimitives.WriteInt64BigEndian(row[16..], supersededBytes);
        KeyValueCodec.Write(row[HeaderBytes..], fields);
    }

    public static bool IsTombstone(ReadOnlySpan<byte> row) => row[1] == 1;

    public static RowId Superseded(ReadOnlySpan<byte> row) =>
        new(new(BinaryPrimitives.ReadInt64BigEndian(row[8..])), BinaryPrimitives.ReadInt32BigEndian(row[4..]));

    public static long SupersededBytes(ReadOnlySpan<byte> row) => BinaryPrimitives.ReadInt64BigEndian(row[16..]);

    public static ReadOnlyMemory<byte> KeyValue(ReadOnlyMemory<byte> row) => row[HeaderBytes..];

    public static KeyValueFields Fields(ReadOnlySpan<byte> row) => KeyValueCodec.Read(row[HeaderBytes..]);

    /// <summary>A row as it came from the engine; another format stops the process, since nothing in it could be trusted.</summary>
    public static byte[] Checked(byte[] row)
    {
        Invariant.Require(row.Length > HeaderBytes && row[0] == Format);
        return row;
    }

    public static byte[] EngineKey(RowId id)
    {
        var key = new byte[KeyBytes];
        WriteKey(key, id);
        return key;
    }

    public static void WriteKey(Span<byte> key, RowId id)
    {
        BinaryPrimitives.WriteInt64BigEndian(key, id.Main.Value);
        BinaryPrimitives.WriteInt32BigEndian(key[8..], id.Sub);
    }

    public static RowId ReadKey(ReadOnlySpan<byte> key)
    {
        Invariant.Require(key.Length == KeyBytes);
        return new(new(BinaryPrimitives.ReadInt64BigEndian(key)), BinaryPrimitives.ReadInt32BigEndian(key[8..]));
    }
}
