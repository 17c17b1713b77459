using Google.Protobuf;
using Store.Protocol.Etcdserverpb;

namespace Store.State;

/// <summary>
/// A transaction may change a key once: two puts of a key, or a put inside of a deleted range, are refused (contract 1.4). The branches of a nested
/// transaction exclude each other and may touch the same keys.
/// </summary>
static class TxnOverlap
{
    public static StoreError Check(TxnRequest request) =>
        TryCollect(request.Success, out _) && TryCollect(request.Failure, out _) ? StoreError.None : StoreError.DuplicateKey;

    static bool TryCollect(IReadOnlyCollection<RequestOp> operations, out Changed changed)
    {
        changed = new([], []);
        foreach (var operation in operations)
            if (operation.RequestDeleteRange is { } delete) changed.Deletes.Add(delete);
        foreach (var operation in operations)
            if (operation.RequestTxn is { } nested && !TryCollectNested(nested, changed)) return false;
        foreach (var operation in operations)
            if (operation.RequestPut is { } put && (changed.IsDeleted(put.Key) || !changed.Puts.Add(put.Key))) return false;
        return true;
    }

    static bool TryCollectNested(TxnRequest nested, Changed changed)
    {
        if (!TryCollect(nested.Success, out var success) || !TryCollect(nested.Failure, out var failure)) return false;
        foreach (var key in success.Puts)
            if (changed.Puts.Contains(key) || changed.IsDeleted(key)) return false;
        foreach (var key in failure.Puts)
            if (changed.Puts.Contains(key) || changed.IsDeleted(key)) return false;
        changed.Puts.UnionWith(success.Puts);
        changed.Puts.UnionWith(failure.Puts);
        changed.Deletes.AddRange(success.Deletes);
        changed.Deletes.AddRange(failure.Deletes);
        return true;
    }

    /// <summary>At most some hundred operations: a list of ranges is enough.</summary>
    readonly record struct Changed(HashSet<ByteString> Puts, List<DeleteRangeRequest> Deletes)
    {
        public bool IsDeleted(ByteString key)
        {
            foreach (var delete in Deletes)
                if (new KeyRange(delete.Key.Span, delete.RangeEnd.Span).Contains(key.Span)) return true;
            return false;
        }
    }
}
