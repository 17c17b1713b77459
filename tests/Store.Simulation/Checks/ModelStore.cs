using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Mvccpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Simulation;

/// <summary>One change in the model's history.</summary>
sealed record ModelEvent(long Revision, bool IsDelete, KeyValue KeyValue, KeyValue? Previous);

/// <summary>What the model says that a request must have come to.</summary>
sealed record ModelResult(StoreError Error, long Revision, IMessage? Response);

/// <summary>
/// The store as one would write it to be obviously right: one dictionary, one list of changes. Knows what the simulator's clients ask for: put,
/// delete, compare-and-swap, compaction, leases.
/// </summary>
sealed class ModelStore
{
    readonly SortedDictionary<string, KeyValue> live = new(StringComparer.Ordinal);
    readonly List<ModelEvent> events = [];
    readonly Dictionary<ulong, ModelResult> results = [];
    readonly Dictionary<LogIndex, long> revisionAt = [];
    readonly HashSet<long> leases = [];
    readonly SortedDictionary<ulong, bool> members = [];

    public Revision Revision { get; private set; } = Revision.Initial;

    /// <summary>Minus one as long as nothing was compacted, as in etcd.</summary>
    public long Compacted { get; private set; } = -1;

    public IReadOnlyList<ModelEvent> Events => events;

    public IReadOnlyDictionary<string, KeyValue> Live => live;

    public ModelResult? Result(ulong requestId) => results.GetValueOrDefault(requestId);

    public bool IsMember(NodeId id) => members.ContainsKey(id.Value);

    public IEnumerable<ulong> Members => members.Keys;

    /// <summary>The live keys as they were at the revision.</summary>
    public SortedDictionary<string, KeyValue> At(long revision)
    {
        var state = new SortedDictionary<string, KeyValue>(StringComparer.Ordinal);
        foreach (var change in events)
        {
            if (change.Revision > revision) break;
            var key = change.KeyValue.Key.ToStringUtf8();
            if (change.IsDelete) state.Remove(key);
            else state[key] = change.KeyValue;
        }
        return state;
    }

    public void Change(Entry entry)
    {
        var change = ConfigChange.Decode(entry.Data);
        if (change.Kind == ConfigChangeKind.Remove) members.Remove(change.Node.Value);
        else if (change.Kind != ConfigChangeKind.Update) members[change.Node.Value] = change.Kind == ConfigChangeKind.AddLearner;
    }

    public void Apply(LogIndex index, Command command)
    {
        var result = command.OperationCase switch
        {
            Command.OperationOneofCase.Put => Put(command.Put),
            Command.OperationOneofCase.DeleteRange => Delete(command.DeleteRange),
            Command.OperationOneofCase.Txn => Txn(command.Txn),
            Command.OperationOneofCase.Compaction => Compact(command.Compaction),
            Command.OperationOneofCase.LeaseGrant => Grant(command.LeaseGrant),
            Command.OperationOneofCase.LeaseRevoke => Revoke(command.LeaseRevoke),
            _ => null,
        };
        if (result is not null && command.RequestId != 0) results[command.RequestId] = result;
        revisionAt[index] = Revision.Value;
    }

    ResponseHeader Header => new() { Revision = Revision.Value };

    ModelResult Ok(Func<ResponseHeader, IMessage> response) => new(StoreError.None, Revision.Value, response(Header));

    ModelResult Failed(StoreError error) => new(error, Revision.Value, null);

    ModelResult Put(PutRequest put)
    {
        if (put.Lease != 0 && !leases.Contains(put.Lease)) return Failed(StoreError.LeaseNotFound);
        Revision = Revision.Next;
        var previous = Set(put);
        return Ok(header => new PutResponse { Header = header, PrevKv = put.PrevKv ? previous : null });
    }

    ModelResult Delete(DeleteRangeRequest delete)
    {
        var removed = Keys(delete.Key, delete.RangeEnd);
        if (removed.Count > 0) Revision = Revision.Next;
        var previous = removed.ConvertAll(Remove);
        return Ok(header =>
        {
            var response = new DeleteRangeResponse { Header = header, Deleted = previous.Count };
            if (delete.PrevKv) response.PrevKvs.AddRange(previous);
            return response;
        });
    }

    /// <summary>If mod(key) equals, then one put or delete; else one range: compare-and-swap as Kubernetes writes it.</summary>
    ModelResult Txn(TxnRequest txn)
    {
        var compare = txn.Compare.Single();
        var key = compare.Key.ToStringUtf8();
        var succeeded = (live.TryGetValue(key, out var now) ? now.ModRevision : 0) == compare.ModRevision;
        var operations = succeeded ? txn.Success : txn.Failure;
        if (operations.Any(operation => operation.RequestPut is not null) || operations.Any(operation => operation.RequestDeleteRange is { } delete && Keys(delete.Key, delete.RangeEnd).Count > 0)) Revision = Revision.Next;
        var responses = operations.Select(Operation).ToList();
        return Ok(header =>
        {
            var response = new TxnResponse { Header = header, Succeeded = succeeded };
            response.Responses.AddRange(responses);
            return response;
        });
    }

    ResponseOp Operation(RequestOp operation)
    {
        switch (operation.RequestCase)
        {
            case RequestOp.RequestOneofCase.RequestPut:
                Set(operation.RequestPut);
                return new() { ResponsePut = new() { Header = Header } };
            case RequestOp.RequestOneofCase.RequestDeleteRange:
                var removed = Keys(operation.RequestDeleteRange.Key, operation.RequestDeleteRange.RangeEnd).ConvertAll(Remove);
                return new() { ResponseDeleteRange = new() { Header = Header, Deleted = removed.Count } };
            default:
                var range = new RangeResponse { Header = Header };
                if (live.TryGetValue(operation.RequestRange.Key.ToStringUtf8(), out var found)) range.Kvs.Add(found);
                range.Count = range.Kvs.Count;
                return new() { ResponseRange = range };
        }
    }

    ModelResult Compact(CompactionRequest compaction)
    {
        if (compaction.Revision <= Compacted) return Failed(StoreError.Compacted);
        if (compaction.Revision > Revision.Value) return Failed(StoreError.FutureRevision);
        Compacted = compaction.Revision;
        return Ok(header => new CompactionResponse { Header = header });
    }

    ModelResult Grant(LeaseGrantRequest grant)
    {
        if (!leases.Add(grant.ID)) return Failed(StoreError.LeaseExists);
        return Ok(header => new LeaseGrantResponse { Header = header, ID = grant.ID, TTL = grant.TTL });
    }

    ModelResult Revoke(LeaseRevokeRequest revoke)
    {
        if (!leases.Remove(revoke.ID)) return Failed(StoreError.LeaseNotFound);
        var attached = live.Where(pair => pair.Value.Lease == revoke.ID).Select(pair => pair.Key).ToList();
        if (attached.Count > 0) Revision = Revision.Next;
        attached.ForEach(key => Remove(key));
        return Ok(header => new LeaseRevokeResponse { Header = header });
    }

    KeyValue? Set(PutRequest put)
    {
        var key = put.Key.ToStringUtf8();
        var previous = live.GetValueOrDefault(key);
        var next = new KeyValue
        {
            Key = put.Key,
            Value = put.Value,
            CreateRevision = previous?.CreateRevision ?? Revision.Value,
            ModRevision = Revision.Value,
            Version = (previous?.Version ?? 0) + 1,
            Lease = put.Lease,
        };
        live[key] = next;
        events.Add(new(Revision.Value, false, next, previous));
        return previous;
    }

    KeyValue Remove(string key)
    {
        live.Remove(key, out var previous);
        events.Add(new(Revision.Value, true, new() { Key = previous!.Key, ModRevision = Revision.Value }, previous));
        return previous;
    }

    List<string> Keys(ByteString key, ByteString end) => end.IsEmpty
        ? [.. live.Keys.Where(candidate => candidate == key.ToStringUtf8())]
        : [.. live.Keys.Where(candidate => string.CompareOrdinal(candidate, key.ToStringUtf8()) >= 0 && string.CompareOrdinal(candidate, end.ToStringUtf8()) < 0)];
}
