using Store.Protocol.Etcdserverpb;
using Store.Raft;

namespace Store.State;

/// <summary>Put, DeleteRange and Txn on the writer's state (contract 1.3, 1.4), with the leases that keys hang on.</summary>
sealed class KeyValueWriter(MvccStore store, LeaseTable leases) : ITxnOperations
{
    public StoreError Check(in PutFields request)
    {
        if (request.Lease != 0 && !leases.Contains(new(request.Lease))) return StoreError.LeaseNotFound;
        return (request.IgnoreValue || request.IgnoreLease) && store.Find(request.Key) is null ? StoreError.KeyNotFound : StoreError.None;
    }

    public PutResponse Put(PutRequest request) => Put(PutFields.Of(request));

    /// <summary>The request was checked.</summary>
    public PutResponse Put(in PutFields request)
    {
        var old = request.IgnoreValue || request.IgnoreLease || request.PrevKv ? store.Find(request.Key) : null;
        var oldRow = old is not null && (request.IgnoreValue || request.PrevKv) ? store.RowOf(old) : default(ReadOnlyMemory<byte>?);
        var value = request.IgnoreValue ? Row.Fields(oldRow!.Value.Span).Value : request.Value;
        var lease = request.IgnoreLease ? old!.Lease : request.Lease;
        store.Put(request.Key, value, lease, out var previous);
        Reattach(request.Key, previous, lease);
        var response = new PutResponse { Header = Responses.Header(store.Reader.Current) };
        if (request.PrevKv && oldRow is { } replaced) response.PrevKv = Responses.KeyValueOf(replaced);
        return response;
    }

    public DeleteRangeResponse DeleteRange(DeleteRangeRequest request)
    {
        var range = new KeyRange(request.Key.Span, request.RangeEnd.Span);
        var response = new DeleteRangeResponse();
        if (range.IsSingle)
        {
            if (store.Find(range.From) is { } entry) Delete(entry, request.PrevKv, response);
        }
        else
        {
            foreach (var entry in store.Reader.LiveEntries(range)) Delete(entry, request.PrevKv, response);
        }
        response.Header = Responses.Header(store.Reader.Current);
        return response;
    }

    public RangeResponse Range(RangeRequest request)
    {
        var result = store.Reader.Range(request);
        Invariant.Require(result is not null);
        return Responses.Range(result);
    }

    public StoreError Txn(TxnRequest request, out TxnResponse? response)
    {
        response = null;
        var plan = TxnPlan.Make(store.Reader, request);
        Invariant.Require(plan is not null);
        var error = plan.Check(store.Reader, leases, request);
        if (error != StoreError.None) return error;
        response = TxnExecutor.Run(plan, request, this);
        response.Header.Revision = store.Reader.Current;
        return StoreError.None;
    }

    /// <summary>Deletes the keys of the lease in sorted order, all in one revision.</summary>
    public void DeleteAll(IReadOnlyCollection<byte[]> keys)
    {
        foreach (var key in keys)
            if (store.Find(key) is { } entry) store.Delete(entry);
    }

    void Delete(KeyEntry entry, bool withPrevious, DeleteRangeResponse response)
    {
        if (withPrevious) response.PrevKvs.Add(Responses.KeyValueOf(store.RowOf(entry)));
        store.Delete(entry);
        if (entry.Lease != 0) leases.Detach(new(entry.Lease), entry.Key);
        response.Deleted++;
    }

    void Reattach(ReadOnlySpan<byte> key, KeyEntry? previous, long lease)
    {
        var before = previous?.Lease ?? 0;
        if (before == lease) return;
        var stored = store.Find(key)!.Key;
        if (before != 0) leases.Detach(new(before), stored);
        if (lease != 0) leases.Attach(new(lease), stored);
    }
}
