using Store.Protocol.Etcdserverpb;
using Store.Raft;

namespace Store.State;

/// <summary>Reads a range in the order of its keys, a bounded piece at a time, from rows that are held for it (<see cref="PinnedView"/>).</summary>
sealed class RangePages(RangeReader reader, RangeRequest request)
{
    readonly byte[] rangeEnd = request.RangeEnd.ToByteArray();
    readonly bool keysOnly = request.KeysOnly;
    readonly long revision = request.Revision <= 0 ? reader.Current : request.Revision;
    byte[] key = request.Key.ToByteArray();

    /// <summary>Keys of the range that were not read yet.</summary>
    public long CountLeft => More ? IndexReader.Count(reader.Root, new(key, rangeEnd), revision) : 0;

    /// <summary>Something is left to read, as far as the last page has shown.</summary>
    public bool More { get; private set; } = true;

    /// <summary>The next rows: at most so many, and no further one once they hold more than so many bytes as fields of a message.</summary>
    public List<ReadOnlyMemory<byte>> Next(long rowsMax, long bytesMax, out long bytes)
    {
        var found = reader.Page(new(key, rangeEnd), revision, (int)Math.Min(rowsMax + 1, int.MaxValue));
        var keyValues = new List<ReadOnlyMemory<byte>>(found.Count);
        bytes = 0;
        foreach (var row in found)
        {
            if (keyValues.Count == rowsMax || bytes > bytesMax) break;
            var keyValue = reader.Encoded(row, keysOnly);
            Invariant.Require(keyValue is not null);
            keyValues.Add(keyValue.Value);
            bytes += KeyValueCodec.FieldSize(keyValue.Value.Length);
        }
        More = keyValues.Count < found.Count;
        if (More) key = [.. found[keyValues.Count - 1].Entry.Key, 0];
        return keyValues;
    }
}
