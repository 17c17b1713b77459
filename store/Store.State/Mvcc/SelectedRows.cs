using Store.Protocol.Etcdserverpb;
using SortOrder = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortOrder;
using SortTarget = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortTarget;

namespace Store.State;

/// <summary>
/// Filters and sorts what a walk finds. With a limit only the best rows so far are held, in a heap whose top is the worst of them, so that a sorted
/// page of a large range costs the memory of the page (etcd fetches the whole range). Equal rows come in order of their keys.
/// </summary>
struct SelectedRows : IEntryVisitor
{
    readonly RangeRequest request;
    readonly RangeReader reader;
    readonly long revision;
    readonly long limit;
    readonly RowOrder order;
    readonly PriorityQueue<Candidate, Candidate>? best;
    readonly List<Candidate> all;

    public SelectedRows(RangeRequest request, RangeReader reader, long revision, long limit)
    {
        this.request = request;
        this.reader = reader;
        this.revision = revision;
        this.limit = limit;
        order = new(request.SortTarget, request.SortOrder == SortOrder.Descend);
        best = limit < long.MaxValue ? new(order.Reversed) : null;
        all = [];
    }

    /// <summary>Rows that passed the filters, with those beyond the limit.</summary>
    public long Matched { get; private set; }

    /// <summary>A row was gone from the engine: compaction overtook this read.</summary>
    public bool Raced { get; private set; }

    public bool Visit(KeyEntry entry)
    {
        if (!entry.TryAt(revision, out var id)) return true;
        if (Describe(new(entry, id)) is not { } candidate)
        {
            Raced = true;
            return false;
        }
        if (!Passes(candidate)) return true;
        Matched++;
        if (best is null) all.Add(candidate);
        else if (best.Count < limit) best.Enqueue(candidate, candidate);
        else best.EnqueueDequeue(candidate, candidate);
        return true;
    }

    public readonly List<FoundRow> InOrder()
    {
        if (best is not null)
            foreach (var (candidate, _) in best.UnorderedItems) all.Add(candidate);
        all.Sort(order);
        return all.ConvertAll(candidate => candidate.Found);
    }

    readonly Candidate? Describe(FoundRow found)
    {
        var entry = found.Entry;
        var needsRow = request.SortTarget == SortTarget.Value || !found.IsNewest;
        if (!needsRow) return new(found, entry.Create, entry.Version, default);
        if (reader.Load(found) is not { } row) return null;
        var fields = Row.Fields(row.Span);
        var value = request.SortTarget == SortTarget.Value ? ValueOf(row, fields) : default;
        return new(found, fields.Create, fields.Version, value);
    }

    static ReadOnlyMemory<byte> ValueOf(ReadOnlyMemory<byte> row, in KeyValueFields fields)
    {
        if (fields.Value.IsEmpty) return default;
        row.Span.Overlaps(fields.Value, out var at);
        return row.Slice(at, fields.Value.Length);
    }

    readonly bool Passes(in Candidate candidate)
    {
        var (mod, create) = (candidate.Found.Id.Main.Value, candidate.Create);
        return (request.MaxModRevision == 0 || mod <= request.MaxModRevision)
            && (request.MinModRevision == 0 || mod >= request.MinModRevision)
            && (request.MaxCreateRevision == 0 || create <= request.MaxCreateRevision)
            && (request.MinCreateRevision == 0 || create >= request.MinCreateRevision);
    }

    internal readonly record struct Candidate(FoundRow Found, long Create, long Version, ReadOnlyMemory<byte> Value);

    sealed class RowOrder(SortTarget target, bool descending) : IComparer<Candidate>
    {
        public IComparer<Candidate> Reversed => Comparer<Candidate>.Create((a, b) => Compare(b, a));

        public int Compare(Candidate x, Candidate y)
        {
            var result = target switch
            {
                SortTarget.Version => x.Version.CompareTo(y.Version),
                SortTarget.Create => x.Create.CompareTo(y.Create),
                SortTarget.Mod => x.Found.Id.Main.CompareTo(y.Found.Id.Main),
                SortTarget.Value => x.Value.Span.SequenceCompareTo(y.Value.Span),
                _ => 0,
            };
            if (result == 0 && target != SortTarget.Key) return ByKey(x, y);
            if (target == SortTarget.Key) result = ByKey(x, y);
            return descending ? -result : result;
        }

        static int ByKey(in Candidate x, in Candidate y) => x.Found.Entry.Key.AsSpan().SequenceCompareTo(y.Found.Entry.Key);
    }
}
