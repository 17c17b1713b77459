using System.Buffers.Binary;
using System.Numerics;

namespace Store.State;

/// <summary>
/// HashKV as etcd computes it: CRC-32C over the bucket's name and then each row, key and value in etcd's layout, up to the revision. Of the rows that
/// compaction may touch only those count that are still visible at the revision, so the hash is the same however far members have physically compacted.
/// </summary>
struct HashReader
{
    /// <summary>(main, sub) of the rows at or below the compacted revision that count, ascending.</summary>
    readonly List<RowId> kept;
    readonly long revision;
    readonly long compacted;
    uint crc;
    int nextKept;

    HashReader(List<RowId> kept, long revision, long compacted)
    {
        this.kept = kept;
        this.revision = revision;
        this.compacted = compacted;
        crc = uint.MaxValue;
    }

    /// <summary>Null when compaction deleted a row that this view wanted.</summary>
    /// <param name="rowsBefore">The rows of <see cref="Table.Revisions"/> up to a key that is not among them.</param>
    public static HashResult? Hash(Func<byte[], IEnumerable<EngineRow>> rowsBefore, RangeReader reader, long revision)
    {
        var error = reader.Check(revision);
        if (error != StoreError.None) return new(error, 0, new(reader.Compacted), new(revision), new(reader.Current));
        if (revision <= 0) revision = reader.Current;
        var hash = new HashReader(Kept(reader, revision), revision, reader.Compacted);
        hash.Add("key"u8);
        var end = Row.EngineKey(new(new(revision + 1), 0));
        foreach (var (key, row) in rowsBefore(end)) hash.AddRow(Row.ReadKey(key), Row.Checked(row));
        if (hash.nextKept < hash.kept.Count) return null;
        return new(StoreError.None, ~hash.crc, new(reader.Compacted), new(revision), new(reader.Current));
    }

    /// <summary>
    /// What is visible at the revision. When nothing at all is, etcd takes every row that compaction has left instead: what was visible at the
    /// compacted revision, and deletions exactly there.
    /// </summary>
    static List<RowId> Kept(RangeReader reader, long revision)
    {
        var visitor = new VisibleRows(revision, withTombstones: false, []);
        IndexReader.Walk(reader.Root, new([], [0]), revision, descending: false, ref visitor);
        if (visitor.Found.Count == 0)
        {
            visitor = new(reader.Compacted, withTombstones: true, []);
            IndexReader.Walk(reader.Root, new([], [0]), revision: long.MinValue, descending: false, ref visitor);
        }
        visitor.Found.RemoveAll(id => id.Main.Value > reader.Compacted);
        visitor.Found.Sort();
        return visitor.Found;
    }

    void AddRow(RowId id, byte[] row)
    {
        if (id.Main.Value <= compacted)
        {
            if (nextKept == kept.Count || kept[nextKept] != id) return;
            nextKept++;
        }
        AddKey(id, Row.IsTombstone(row));
        var encoded = Row.KeyValue(row).Span;
        // etcd's tombstones hold nothing but the key.
        Add(Row.IsTombstone(row) ? encoded[..KeyValueCodec.KeyFieldSize(Row.Fields(row).Key)] : encoded);
    }

    /// <summary>etcd's row key: main, an underscore, sub, and a 't' behind those of tombstones.</summary>
    void AddKey(RowId id, bool tombstone)
    {
        Span<byte> key = stackalloc byte[18];
        BinaryPrimitives.WriteInt64BigEndian(key, id.Main.Value);
        key[8] = (byte)'_';
        BinaryPrimitives.WriteInt64BigEndian(key[9..], id.Sub);
        key[17] = (byte)'t';
        Add(tombstone ? key : key[..17]);
    }

    void Add(ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
    }

    readonly struct VisibleRows(long revision, bool withTombstones, List<RowId> found) : IEntryVisitor
    {
        public readonly List<RowId> Found = found;

        public bool Visit(KeyEntry entry)
        {
            // A key that is younger than the revision has no id there, which must not be taken for a tombstone at revision 0 (which a client can compact).
            if (entry.TryAt(revision, out var id) || (withTombstones && revision > 0 && id.Main.Value == revision)) Found.Add(id);
            return true;
        }
    }
}
