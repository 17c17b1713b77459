using System.Text;
using Store.Protocol.Etcdserverpb;
using SortOrder = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortOrder;
using SortTarget = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortTarget;

namespace Store.State;

/// <summary>
/// What can be said of a request by looking at it alone (contract 1.1-1.4). The server asks before it reads or proposes; apply relies on it.
/// </summary>
public static class RequestValidation
{
    /// <summary>About 285 years.</summary>
    const long LeaseTtlMaxSeconds = 9_000_000_000;

    /// <summary>Of a key in bbolt, as which etcd keeps the names of users and roles: it ends at a longer one.</summary>
    const int NameBytesMax = 32_768;

    /// <summary>KeyNotProvided, InvalidSortOption.</summary>
    public static StoreError CheckRange(RangeRequest request) => request.Key.IsEmpty ? StoreError.KeyNotProvided : CheckSort(request);

    /// <summary>InvalidSortOption.</summary>
    public static StoreError CheckSort(RangeRequest request) =>
        request.SortOrder is < SortOrder.None or > SortOrder.Descend || request.SortTarget is < SortTarget.Key or > SortTarget.Value
            ? StoreError.InvalidSortOption
            : StoreError.None;

    /// <summary>KeyNotProvided, ValueProvided, LeaseProvided.</summary>
    public static StoreError CheckPut(PutRequest request) => CheckPut(PutFields.Of(request));

    /// <summary>KeyNotProvided, ValueProvided, LeaseProvided.</summary>
    public static StoreError CheckPut(in PutFields request) =>
        request.Key.IsEmpty ? StoreError.KeyNotProvided
        : request.IgnoreValue && !request.Value.IsEmpty ? StoreError.ValueProvided
        : request.IgnoreLease && request.Lease != 0 ? StoreError.LeaseProvided
        : StoreError.None;

    /// <summary>KeyNotProvided.</summary>
    public static StoreError CheckDeleteRange(DeleteRangeRequest request) => request.Key.IsEmpty ? StoreError.KeyNotProvided : StoreError.None;

    /// <summary>LeaseTtlTooLarge.</summary>
    public static StoreError CheckLeaseGrant(LeaseGrantRequest request) =>
        request.TTL > LeaseTtlMaxSeconds ? StoreError.LeaseTtlTooLarge : StoreError.None;

    /// <summary>Of a user or role that is to be: RequestTooLarge when no snapshot for etcd could hold it.</summary>
    public static StoreError CheckName(string name) => Encoding.UTF8.GetByteCount(name) > NameBytesMax ? StoreError.RequestTooLarge : StoreError.None;

    /// <summary>
    /// TooManyOperations, DuplicateKey, KeyNotFound for an empty operation (as etcd says it), and what the operations' own checks say. A nested
    /// transaction may use what its parents left of the budget.
    /// </summary>
    public static StoreError CheckTxn(TxnRequest request, int operationsMax)
    {
        var error = CheckOperations(request, operationsMax);
        return error != StoreError.None ? error : TxnOverlap.Check(request);
    }

    /// <summary>Served without the log: every operation of both branches is a range. A nested transaction does not count as one.</summary>
    public static bool IsReadOnly(TxnRequest request) => request.Success.All(IsRange) && request.Failure.All(IsRange);

    /// <summary>May be served without asking the leader: read-only, and all its ranges are serializable.</summary>
    public static bool IsSerializable(TxnRequest request) =>
        request.Success.Concat(request.Failure).All(operation => IsRange(operation) && operation.RequestRange.Serializable);

    /// <summary>Bytes of quota that the put may need.</summary>
    public static long QuotaCost(PutRequest request) => SpaceUsage.CostOf(request.Key.Length, request.Value.Length);

    /// <summary>Bytes of quota that the more expensive branch may need; zero when nothing is put.</summary>
    public static long QuotaCost(TxnRequest request) => Math.Max(QuotaCost(request.Success), QuotaCost(request.Failure));

    static long QuotaCost(IEnumerable<RequestOp> operations)
    {
        long cost = 0;
        foreach (var operation in operations)
        {
            if (operation.RequestPut is { } put) cost += QuotaCost(put);
            else if (operation.RequestTxn is { } txn) cost += QuotaCost(txn);
        }
        return cost;
    }

    static bool IsRange(RequestOp operation) => operation.RequestCase == RequestOp.RequestOneofCase.RequestRange;

    static StoreError CheckOperations(TxnRequest request, int operationsMax)
    {
        var operations = Math.Max(request.Compare.Count, Math.Max(request.Success.Count, request.Failure.Count));
        if (operations > operationsMax) return StoreError.TooManyOperations;
        foreach (var compare in request.Compare)
            if (compare.Key.IsEmpty) return StoreError.KeyNotProvided;
        foreach (var operation in request.Success)
            if (CheckOperation(operation, operationsMax - operations) is not StoreError.None and var error) return error;
        foreach (var operation in request.Failure)
            if (CheckOperation(operation, operationsMax - operations) is not StoreError.None and var error) return error;
        return StoreError.None;
    }

    static StoreError CheckOperation(RequestOp operation, int operationsMax) => operation.RequestCase switch
    {
        RequestOp.RequestOneofCase.RequestRange => CheckRange(operation.RequestRange),
        RequestOp.RequestOneofCase.RequestPut => CheckPut(operation.RequestPut),
        RequestOp.RequestOneofCase.RequestDeleteRange => CheckDeleteRange(operation.RequestDeleteRange),
        RequestOp.RequestOneofCase.RequestTxn => CheckOperations(operation.RequestTxn, operationsMax),
        _ => StoreError.KeyNotFound,
    };
}
