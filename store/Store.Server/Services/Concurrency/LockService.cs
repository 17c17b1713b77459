using Store.Protocol.V3lockpb;

namespace Store.Server;

/// <summary>v3lockpb.Lock (contract 1.11): a lock is held as long as its key is there, hence at most as long as its lease. Holders that act outside the store need the key's create revision as a fence.</summary>
sealed class LockService(WaitingLine line)
{
    public IEnumerable<UnaryMethod> Methods =>
    [
        UnaryMethod.At("/v3lockpb.Lock/Lock", LockRequest.Parser, LockAsync),
        UnaryMethod.At("/v3lockpb.Lock/Unlock", UnlockRequest.Parser, UnlockAsync),
    ];

    async ValueTask<Answer> LockAsync(LockRequest request, Caller caller)
    {
        var (lease, noLease) = await line.LeaseAsync(request.Lease, caller);
        if (noLease is { } refused) return refused;
        var key = WaitingLine.Key(request.Name, lease);
        var (entered, refusal) = await line.IfCreatedAtAsync(
            key, 0, [WaitingLine.Put(key, Google.Protobuf.ByteString.Empty, lease), WaitingLine.First(request.Name)], [WaitingLine.Get(key), WaitingLine.First(request.Name)], caller);
        if (entered is null) return refusal!.Value;
        var own = entered.Succeeded ? entered.Header.Revision : entered.Responses[0].ResponseRange.Kvs[0].CreateRevision;
        var first = entered.Responses[1].ResponseRange.Kvs;
        if (first.Count == 0 || first[0].CreateRevision == own) return Answer.Of(new LockResponse { Header = entered.Header, Key = key });
        return await WaitAsync(request, key, own, caller);
    }

    async ValueTask<Answer> WaitAsync(LockRequest request, Google.Protobuf.ByteString key, long own, Caller caller)
    {
        var waited = false;
        try
        {
            if (await line.WaitAsync(request.Name, own, caller) is { } refused) return refused;
            waited = true;
        }
        finally
        {
            // Whoever has given up must not hold up those behind.
            if (!waited) await line.DoAsync(WaitingLine.Delete(key), caller);
        }

        var (mine, refusal) = await line.DoAsync(WaitingLine.Get(key), caller);
        if (mine is null) return refusal!.Value;
        // The lease ran out while we stood in line: it would be nobody's lock.
        if (mine.Responses[0].ResponseRange.Kvs.Count == 0) return Answer.Refuse("mutex: session is expired");
        return Answer.Of(new LockResponse { Header = mine.Header, Key = key });
    }

    async ValueTask<Answer> UnlockAsync(UnlockRequest request, Caller caller)
    {
        var (response, refusal) = await line.DoAsync(WaitingLine.Delete(request.Key), caller);
        return response is null ? refusal!.Value : Answer.Of(new UnlockResponse { Header = response.Header });
    }
}
