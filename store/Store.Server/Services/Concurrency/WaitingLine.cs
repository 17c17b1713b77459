using System.Globalization;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.State;

namespace Store.Server;

/// <summary>What a step came to: a response, or why there is none.</summary>
readonly record struct Step<T>(T? Response, Answer? Refusal)
    where T : class;

/// <summary>
/// Those who want a lock or an office stand in line under one prefix: each puts a key "name/lease" under its lease, and whoever has the lowest create revision holds
/// it (contract 1.11). The keys are ordinary ones: clients that stand in line by themselves, as Go's concurrency package does, stand in the same one.
/// </summary>
/// <remarks>
/// "a/7f" was created at revision 5, "a/80" at 8, "a/81" at 9. The third waits for the deletion of the second, not of the first: each release wakes one.
/// The second gives up while the first still holds: the third looks again, finds the first, and waits for that.
/// </remarks>
sealed class WaitingLine(KvService kv, LeaseService leases, WatchFeed feed, AccessControl access)
{
    /// <summary>Of a lease granted because the caller has brought none; nobody renews it, as in etcd.</summary>
    const long LeaseSeconds = 60;

    /// <summary>Every error of these services has this shape in etcd: the text alone, code Unknown.</summary>
    public static Answer Refuse(Answer answer) => answer.Refused ? answer : Answer.Refuse(StatusMapping.ToStatus(answer.Error).Detail);

    public static ByteString Prefix(ByteString name) => ByteString.CopyFrom([.. name.Span, (byte)'/']);

    /// <summary>The lease in hexadecimal, negative ones with a sign, as Go prints them.</summary>
    public static ByteString Key(ByteString name, long lease)
    {
        var digits = Math.Abs((decimal)lease);
        var text = (lease < 0 ? "-" : "") + ((ulong)digits).ToString("x", CultureInfo.InvariantCulture);
        return ByteString.CopyFrom([.. name.Span, (byte)'/', .. System.Text.Encoding.ASCII.GetBytes(text)]);
    }

    /// <summary>The one in front.</summary>
    public static RequestOp First(ByteString name) => new() { RequestRange = InLine(name, RangeRequest.Types.SortOrder.Ascend) };

    public static RequestOp Get(ByteString key) => new() { RequestRange = new() { Key = key } };

    public static RequestOp Put(ByteString key, ByteString value, long lease) => new() { RequestPut = new() { Key = key, Value = value, Lease = lease } };

    public static RequestOp Delete(ByteString key) => new() { RequestDeleteRange = new() { Key = key } };

    /// <summary>Then, when the key was created at this revision (0: when there is no such key); else otherwise.</summary>
    public async Task<Step<TxnResponse>> IfCreatedAtAsync(ByteString key, long revision, RequestOp[] then, RequestOp[] otherwise, Caller caller)
    {
        var request = new TxnRequest();
        request.Compare.Add(new Compare
        {
            Target = Compare.Types.CompareTarget.Create,
            Result = Compare.Types.CompareResult.Equal,
            Key = key,
            CreateRevision = revision,
        });
        request.Success.Add(then);
        request.Failure.Add(otherwise);
        return await RunAsync(request, caller);
    }

    /// <summary>Without a condition: linearizable, and the response has the one answer.</summary>
    public async Task<Step<TxnResponse>> DoAsync(RequestOp operation, Caller caller)
    {
        var request = new TxnRequest();
        request.Success.Add(operation);
        return await RunAsync(request, caller);
    }

    /// <summary>The lease itself, or a new one for 0.</summary>
    public async Task<(long Lease, Answer? Refusal)> LeaseAsync(long lease, Caller caller)
    {
        if (lease != 0) return (lease, null);
        var request = new LeaseGrantRequest { TTL = LeaseSeconds };
        var answer = await access.PassAsync(caller.Http, new(RequiredAccess.Authenticated), signed => leases.GrantAsync(request, signed));
        return answer.Message is LeaseGrantResponse granted ? (granted.ID, null) : (0, Refuse(answer));
    }

    /// <summary>Returns once nobody stands before the revision, at once if so; a refusal when the line cannot be read.</summary>
    /// <exception cref="OperationCanceledException">The caller has gone. Its key is still there.</exception>
    public async Task<Answer?> WaitAsync(ByteString name, long revision, Caller caller)
    {
        while (true)
        {
            var last = InLine(name, RangeRequest.Types.SortOrder.Descend);
            last.MaxCreateRevision = revision - 1;
            var (response, refusal) = await DoAsync(new() { RequestRange = last }, caller);
            if (response is null) return refusal;
            if (response.Responses[0].ResponseRange.Kvs is not [var before]) return null;
            await DeletedAsync(before.Key, response.Header.Revision + 1, caller.Aborted);
        }
    }

    /// <summary>What happens from the revision on to one key, or to all who stand in a line.</summary>
    public OwnWatch WatchKey(ByteString key, long start) => new(feed, WatchRange.Of(key.Span, []), start);

    public OwnWatch WatchLine(ByteString name, long start) => new(feed, WatchRange.Of(Prefix(name).Span, EndOf(name).Span), start);

    async Task DeletedAsync(ByteString key, long start, CancellationToken cancellationToken)
    {
        using var watch = WatchKey(key, start);
        // Null is compaction: the caller looks again.
        while (await watch.NextAsync(cancellationToken) is { } events && !events.Any(e => e.IsDelete))
        {
        }
    }

    /// <summary>Each step is a transaction of the caller's own, with the caller's permissions, as in etcd: watches follow only what a step has read.</summary>
    async Task<Step<TxnResponse>> RunAsync(TxnRequest request, Caller caller)
    {
        var guard = new Guard(RequiredAccess.Of(request), Reads: RequestValidation.IsReadOnly(request));
        var answer = await access.PassAsync(caller.Http, guard, signed => kv.TxnAsync(request, signed));
        return answer.Message is TxnResponse response ? new(response, null) : new(null, Refuse(answer));
    }

    static RangeRequest InLine(ByteString name, RangeRequest.Types.SortOrder order) => new()
    {
        Key = Prefix(name),
        RangeEnd = EndOf(name),
        Limit = 1,
        SortTarget = RangeRequest.Types.SortTarget.Create,
        SortOrder = order,
    };

    /// <summary>The end of all keys that begin with "name/".</summary>
    static ByteString EndOf(ByteString name) => ByteString.CopyFrom([.. name.Span, (byte)'/' + 1]);
}
