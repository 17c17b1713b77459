using System.Diagnostics;
using Store.Protocol.Etcdserverpb;

namespace Store.State;

/// <summary>The operations that a transaction is made of.</summary>
interface ITxnOperations
{
    RangeResponse Range(RangeRequest request);

    PutResponse Put(PutRequest request);

    DeleteRangeResponse DeleteRange(DeleteRangeRequest request);
}

/// <summary>Runs the operations of a plan in order and builds the response. Everything was checked before: nothing in here can fail.</summary>
static class TxnExecutor
{
    /// <summary>Inner headers are as etcd has them: each operation's with its revision, a nested transaction's there but empty.</summary>
    public static TxnResponse Run(TxnPlan plan, TxnRequest request, ITxnOperations operations)
    {
        var response = new TxnResponse { Header = new() };
        var taken = plan.Take(request, out var succeeded);
        response.Succeeded = succeeded;
        foreach (var operation in taken) response.Responses.Add(Run(plan, operation, operations));
        return response;
    }

    static ResponseOp Run(TxnPlan plan, RequestOp operation, ITxnOperations operations) => operation.RequestCase switch
    {
        RequestOp.RequestOneofCase.RequestRange => new() { ResponseRange = operations.Range(operation.RequestRange) },
        RequestOp.RequestOneofCase.RequestPut => new() { ResponsePut = operations.Put(operation.RequestPut) },
        RequestOp.RequestOneofCase.RequestDeleteRange => new() { ResponseDeleteRange = operations.DeleteRange(operation.RequestDeleteRange) },
        RequestOp.RequestOneofCase.RequestTxn => new() { ResponseTxn = Run(plan, operation.RequestTxn, operations) },
        _ => throw new UnreachableException(),
    };
}

/// <summary>Transactions that only read, against a view.</summary>
static class TxnReader
{
    /// <summary>False when compaction overtook the reader. The result is null when the transaction would write.</summary>
    public static bool TryRead(RangeReader reader, TxnRequest request, out TxnResult? result)
    {
        result = null;
        if (TxnPlan.Make(reader, request) is not { } plan) return false;
        if (plan.Writes) return true;
        var error = plan.Check(reader, leases: null, request);
        if (error != StoreError.None)
        {
            result = new(error, null);
            return true;
        }
        var operations = new Operations(reader);
        var response = TxnExecutor.Run(plan, request, operations);
        response.Header.Revision = reader.Current;
        result = new(StoreError.None, response);
        return !operations.Raced;
    }

    sealed class Operations(RangeReader reader) : ITxnOperations
    {
        public bool Raced { get; private set; }

        public RangeResponse Range(RangeRequest request)
        {
            if (reader.Range(request) is { } result) return Responses.Range(result);
            Raced = true;
            return new();
        }

        public PutResponse Put(PutRequest request) => throw new UnreachableException();

        public DeleteRangeResponse DeleteRange(DeleteRangeRequest request) => throw new UnreachableException();
    }
}
