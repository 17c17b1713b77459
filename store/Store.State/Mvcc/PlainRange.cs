using Store.Protocol.Etcdserverpb;
using SortOrder = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortOrder;
using SortTarget = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortTarget;

namespace Store.State;

/// <summary>
/// A range in the order of its keys whose size is known before its rows are read: so that an answer of any size is announced first, and then written while
/// it is read. Sizes of newest rows stand in the index; older ones are read for it once more.
/// </summary>
public sealed class PlainRange
{
    /// <summary>Keys are small: so many of them are looked up at a time, however small the values.</summary>
    const int PageRowsMax = 512;

    readonly RangePages pages;
    long left;

    PlainRange(RangePages pages, Revision revision, long count, long limit, long keyValueBytes)
    {
        this.pages = pages;
        Revision = revision;
        Count = count;
        More = count > limit;
        left = Math.Min(count, limit);
        KeyValueBytes = keyValueBytes;
    }

    /// <summary>Of the store, for the header.</summary>
    public Revision Revision { get; }

    public long Count { get; }

    public bool More { get; }

    /// <summary>What all rows together take as fields of the answer.</summary>
    public long KeyValueBytes { get; }

    /// <summary>Neither sorted nor filtered, and with rows in the answer.</summary>
    public static bool Fits(RangeRequest request) =>
        !request.CountOnly && !RangeReader.HasFilters(request) && request.SortTarget == SortTarget.Key && request.SortOrder != SortOrder.Descend;

    /// <summary>Compacted, FutureRevision. The view must stay pinned while rows are read.</summary>
    public static StoreError Begin(PinnedView view, RangeRequest request, out PlainRange? range)
    {
        range = null;
        var reader = view.Reader;
        var error = reader.Check(request.Revision);
        if (error != StoreError.None) return error;
        var revision = request.Revision <= 0 ? reader.Current : request.Revision;
        var keys = new KeyRange(request.Key.Span, request.RangeEnd.Span);
        var count = IndexReader.Count(reader.Root, keys, revision);
        var limit = request.Limit > 0 ? request.Limit : long.MaxValue;
        var sizes = new Sizes(reader, revision, request.KeysOnly, Math.Min(count, limit));
        IndexReader.Walk(reader.Root, keys, revision, descending: false, ref sizes);
        range = new(new(reader, request), new(reader.Current), count, limit, sizes.Bytes);
        return StoreError.None;
    }

    /// <summary>The next rows, a little more than so many bytes at most; none behind the last.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Next(long bytesMax)
    {
        if (left == 0) return [];
        var keyValues = pages.Next(Math.Min(left, PageRowsMax), bytesMax, out _);
        left -= keyValues.Count;
        return keyValues;
    }

    struct Sizes(RangeReader reader, long revision, bool keysOnly, long rows) : IEntryVisitor
    {
        long rowsLeft = rows;

        public long Bytes { get; private set; }

        public bool Visit(KeyEntry entry)
        {
            if (rowsLeft == 0) return false;
            if (!entry.TryAt(revision, out var id)) return true;
            rowsLeft--;
            Bytes += KeyValueCodec.FieldSize(reader.EncodedSize(new(entry, id), keysOnly));
            return true;
        }
    }
}
