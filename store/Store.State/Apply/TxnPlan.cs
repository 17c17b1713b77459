using Store.Protocol.Etcdserverpb;

namespace Store.State;

/// <summary>
/// Which way a transaction goes, settled before any of its operations runs: the comparisons of nested transactions do not see what their parents write
/// (contract 1.4).
/// </summary>
sealed class TxnPlan
{
    readonly List<bool> branches = [];
    int next;

    TxnPlan()
    {
    }

    /// <summary>Something on the taken path puts or deletes.</summary>
    public bool Writes { get; private set; }

    /// <summary>Null when a row to compare was deleted by compaction meanwhile; never so for the writer.</summary>
    public static TxnPlan? Make(RangeReader reader, TxnRequest request)
    {
        var plan = new TxnPlan();
        return plan.Choose(reader, request) ? plan : null;
    }

    /// <summary>The operations of the branch that the next transaction, in the order of the walk, takes.</summary>
    public IReadOnlyList<RequestOp> Take(TxnRequest request, out bool succeeded)
    {
        succeeded = branches[next++];
        return succeeded ? request.Success : request.Failure;
    }

    /// <summary>What stands in the way of the taken path: nothing of it is done then. Puts are looked at before ranges, as etcd does.</summary>
    public StoreError Check(RangeReader reader, LeaseTable? leases, TxnRequest request)
    {
        var error = CheckEach(request, operation => operation.RequestPut is { } put ? CheckPut(reader, leases!, put) : StoreError.None);
        return error != StoreError.None
            ? error
            : CheckEach(request, operation => operation.RequestRange is { } range ? CheckRange(reader, range) : StoreError.None);
    }

    bool Choose(RangeReader reader, TxnRequest request)
    {
        var succeeded = true;
        foreach (var compare in request.Compare)
        {
            if (TxnCompare.Holds(reader, compare) is not { } holds) return false;
            succeeded &= holds;
        }
        branches.Add(succeeded);
        foreach (var operation in succeeded ? request.Success : request.Failure)
        {
            if (operation.RequestTxn is { } nested && !Choose(reader, nested)) return false;
            Writes |= operation.RequestCase is RequestOp.RequestOneofCase.RequestPut or RequestOp.RequestOneofCase.RequestDeleteRange;
        }
        return true;
    }

    StoreError CheckEach(TxnRequest request, Func<RequestOp, StoreError> check)
    {
        next = 0;
        var error = CheckBranch(request, check);
        next = 0;
        return error;
    }

    StoreError CheckBranch(TxnRequest request, Func<RequestOp, StoreError> check)
    {
        foreach (var operation in Take(request, out _))
        {
            var error = operation.RequestTxn is { } nested ? CheckBranch(nested, check) : check(operation);
            if (error != StoreError.None) return error;
        }
        return StoreError.None;
    }

    /// <summary>As a range by itself, but a negative revision is no "now" here: etcd takes it for one that compaction has passed.</summary>
    static StoreError CheckRange(RangeReader reader, RangeRequest range) =>
        range.Revision < 0 && range.Revision < reader.Compacted ? StoreError.Compacted : reader.Check(range.Revision);

    static StoreError CheckPut(RangeReader reader, LeaseTable leases, PutRequest put)
    {
        if ((put.IgnoreValue || put.IgnoreLease) && IndexReader.Find(reader.Root, put.Key.Span) is not { Tombstone: false }) return StoreError.KeyNotFound;
        return put.Lease != 0 && !leases.Contains(new(put.Lease)) ? StoreError.LeaseNotFound : StoreError.None;
    }
}
