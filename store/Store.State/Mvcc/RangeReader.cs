using Store.Protocol.Etcdserverpb;
using SortOrder = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortOrder;
using SortTarget = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortTarget;

namespace Store.State;

/// <summary>Answers ranges from one root of the index (contract 1.1): a view's, or the writer's own in the middle of a transaction.</summary>
/// <param name="Current">The newest revision that the root holds.</param>
/// <param name="Compacted">Reads below are refused.</param>
readonly record struct RangeReader(IndexNode Root, long Current, long Compacted, RowSource Rows)
{
    public StoreError Check(long revision) =>
        revision > Current ? StoreError.FutureRevision
        : revision > 0 && revision < Compacted ? StoreError.Compacted
        : StoreError.None;

    /// <summary>Null when a row was deleted under the reader: compaction has passed the revision since the root was made.</summary>
    public RangeResult? Range(RangeRequest request)
    {
        var error = RequestValidation.CheckSort(request);
        if (error == StoreError.None) error = Check(request.Revision);
        if (error != StoreError.None) return new(error, new(Current), [], More: false, 0);
        var revision = request.Revision <= 0 ? Current : request.Revision;
        var range = new KeyRange(request.Key.Span, request.RangeEnd.Span);
        if (range.IsSingle && !HasFilters(request)) return Single(request, range.From, revision);
        var count = IndexReader.Count(Root, range, revision);
        if (request.CountOnly) return new(StoreError.None, new(Current), [], More: false, count);
        var limit = request.Limit > 0 ? request.Limit : long.MaxValue;
        if (HasFilters(request) || IsSorted(request)) return Selected(request, range, revision, count, limit);
        var rows = new PlainRows(revision, Math.Min(limit, count));
        IndexReader.Walk(Root, range, revision, descending: IsKeyDescending(request), ref rows);
        return Result(request, rows.Found, more: count > limit, count);
    }

    /// <summary>The first rows of the range at the revision, in order of their keys.</summary>
    public List<FoundRow> Page(KeyRange range, long revision, int rowsMax)
    {
        var rows = new PlainRows(revision, rowsMax);
        IndexReader.Walk(Root, range, revision, descending: false, ref rows);
        return rows.Found;
    }

    /// <summary>The keys that are there now, in order; what a deletion removes and a comparison of a range looks at.</summary>
    public List<KeyEntry> LiveEntries(KeyRange range)
    {
        var visitor = new LiveEntriesVisitor([]);
        IndexReader.Walk(Root, range, Current, descending: false, ref visitor);
        return visitor.Found;
    }

    RangeResult? Single(RangeRequest request, ReadOnlySpan<byte> key, long revision)
    {
        if (IndexReader.Find(Root, key) is not { } entry || !entry.TryAt(revision, out var id))
            return new(StoreError.None, new(Current), [], More: false, 0);
        if (request.CountOnly) return new(StoreError.None, new(Current), [], More: false, 1);
        return Encoded(new(entry, id), request.KeysOnly) is { } keyValue
            ? new(StoreError.None, new(Current), [keyValue], More: false, 1)
            : null;
    }

    RangeResult? Selected(RangeRequest request, KeyRange range, long revision, long count, long limit)
    {
        var rows = new SelectedRows(request, this, revision, limit);
        IndexReader.Walk(Root, range, revision, descending: false, ref rows);
        if (rows.Raced) return null;
        return Result(request, rows.InOrder(), more: rows.Matched > limit, count);
    }

    RangeResult? Result(RangeRequest request, List<FoundRow> found, bool more, long count)
    {
        var keyValues = new ReadOnlyMemory<byte>[found.Count];
        for (var i = 0; i < keyValues.Length; i++)
        {
            if (Encoded(found[i], request.KeysOnly) is not { } keyValue) return null;
            keyValues[i] = keyValue;
        }
        return new(StoreError.None, new(Current), keyValues, more, count);
    }

    /// <summary>Null when compaction took the row.</summary>
    public ReadOnlyMemory<byte>? Encoded(FoundRow found, bool keysOnly)
    {
        if (keysOnly && found.IsNewest)
            return KeyValueCodec.Encode(new()
            {
                Key = found.Entry.Key,
                Create = found.Entry.Create,
                Mod = found.Entry.Main,
                Version = found.Entry.Version,
                Lease = found.Entry.Lease,
            });
        if (Load(found) is not { } row) return null;
        if (!keysOnly) return Row.KeyValue(row);
        var fields = Row.Fields(row.Span);
        fields.Value = default;
        return KeyValueCodec.Encode(fields);
    }

    /// <summary>The length of what <see cref="Encoded"/> returns, for a row that is there.</summary>
    public int EncodedSize(FoundRow found, bool keysOnly)
    {
        if (!found.IsNewest) return Encoded(found, keysOnly)!.Value.Length;
        var entry = found.Entry;
        return KeyValueCodec.SizeOf(entry.Key.Length, entry.Create, entry.Main, entry.Version, keysOnly ? 0 : entry.ValueBytes, entry.Lease);
    }

    internal ReadOnlyMemory<byte>? Load(FoundRow found) => found.IsNewest ? Rows.Load(found.Entry) : Rows.Load(found.Id);

    public static bool HasFilters(RangeRequest request) =>
        (request.MinModRevision | request.MaxModRevision | request.MinCreateRevision | request.MaxCreateRevision) != 0;

    /// <summary>Order by key needs no sorting: the index has it.</summary>
    static bool IsSorted(RangeRequest request) => request.SortTarget != SortTarget.Key;

    static bool IsKeyDescending(RangeRequest request) => request.SortTarget == SortTarget.Key && request.SortOrder == SortOrder.Descend;

    struct PlainRows(long revision, long limit) : IEntryVisitor
    {
        public readonly List<FoundRow> Found = new((int)Math.Min(limit, 1 << 20));

        public readonly bool Visit(KeyEntry entry)
        {
            if (Found.Count >= limit) return false;
            if (entry.TryAt(revision, out var id)) Found.Add(new(entry, id));
            return true;
        }
    }

    readonly struct LiveEntriesVisitor(List<KeyEntry> found) : IEntryVisitor
    {
        public readonly List<KeyEntry> Found = found;

        public bool Visit(KeyEntry entry)
        {
            if (!entry.Tombstone) Found.Add(entry);
            return true;
        }
    }
}

/// <summary>A key and the change of it that is in force at the revision read.</summary>
readonly record struct FoundRow(KeyEntry Entry, RowId Id)
{
    public bool IsNewest => Id.Main.Value == Entry.Main && Id.Sub == Entry.Sub;
}
