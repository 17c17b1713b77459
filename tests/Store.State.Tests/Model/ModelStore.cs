using System.Collections.Immutable;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Mvccpb;
using CompareResult = Store.Protocol.Etcdserverpb.Compare.Types.CompareResult;
using CompareTarget = Store.Protocol.Etcdserverpb.Compare.Types.CompareTarget;
using SortOrder = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortOrder;
using SortTarget = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortTarget;

namespace Store.State.Tests;

/// <summary>
/// The oracle: a whole copy of all keys for every revision, and nothing clever. Keys are ASCII, so ordinal order of text is order of bytes.
/// </summary>
sealed class ModelStore
{
    static readonly ImmutableSortedDictionary<string, KeyValue> Empty = ImmutableSortedDictionary.Create<string, KeyValue>(StringComparer.Ordinal);

    readonly List<ImmutableSortedDictionary<string, KeyValue>> states = [Empty, Empty];
    readonly HashSet<long> leases = [];
    ImmutableSortedDictionary<string, KeyValue> now = Empty;
    bool changed;

    public long Revision => states.Count - 1;

    public long Compacted { get; private set; } = -1;

    public List<(long Revision, string Key, bool IsDelete, KeyValue Current, KeyValue? Previous)> Events { get; } = [];

    public StoreError Put(PutRequest put)
    {
        if (put.Lease != 0 && !leases.Contains(put.Lease)) return StoreError.LeaseNotFound;
        if ((put.IgnoreLease || put.IgnoreValue) && !now.ContainsKey(put.Key.ToStringUtf8())) return StoreError.KeyNotFound;
        DoPut(put);
        End();
        return StoreError.None;
    }

    public long Delete(DeleteRangeRequest delete)
    {
        var deleted = DoDelete(delete);
        End();
        return deleted;
    }

    public StoreError Txn(TxnRequest txn, out bool succeeded)
    {
        var taken = new List<RequestOp>();
        succeeded = Decide(txn, taken);
        foreach (var put in taken.Select(operation => operation.RequestPut).Where(put => put is not null))
        {
            if ((put.IgnoreLease || put.IgnoreValue) && !now.ContainsKey(put.Key.ToStringUtf8())) return StoreError.KeyNotFound;
            if (put.Lease != 0 && !leases.Contains(put.Lease)) return StoreError.LeaseNotFound;
        }
        foreach (var range in taken.Select(operation => operation.RequestRange).Where(range => range is not null))
            if (CheckInTxn(range.Revision) is not StoreError.None and var error) return error;
        foreach (var operation in taken)
        {
            if (operation.RequestPut is { } put) DoPut(put);
            if (operation.RequestDeleteRange is { } delete) DoDelete(delete);
        }
        End();
        return StoreError.None;
    }

    public StoreError Compact(long revision)
    {
        if (revision <= Compacted) return StoreError.Compacted;
        if (revision > Revision) return StoreError.FutureRevision;
        Compacted = revision;
        return StoreError.None;
    }

    public StoreError Grant(long id) => leases.Add(id) ? StoreError.None : StoreError.LeaseExists;

    public StoreError Revoke(long id)
    {
        if (!leases.Remove(id)) return StoreError.LeaseNotFound;
        foreach (var kv in now.Values.Where(kv => kv.Lease == id).ToList()) DoDelete(new() { Key = kv.Key });
        End();
        return StoreError.None;
    }

    public StoreError Check(long revision) =>
        revision > Revision ? StoreError.FutureRevision : revision > 0 && revision < Compacted ? StoreError.Compacted : StoreError.None;

    /// <summary>In a transaction a negative revision is no "now" but one that compaction has passed, as etcd has it.</summary>
    StoreError CheckInTxn(long revision) => revision < 0 && revision < Compacted ? StoreError.Compacted : Check(revision);

    public (List<KeyValue> KeyValues, bool More, long Count) Range(RangeRequest request)
    {
        var state = states[(int)(request.Revision <= 0 ? Revision : request.Revision)];
        var inRange = InRange(state, request.Key, request.RangeEnd);
        if (request.CountOnly) return ([], false, inRange.Count);
        var found = inRange.Where(kv =>
            (request.MaxModRevision == 0 || kv.ModRevision <= request.MaxModRevision) && kv.ModRevision >= request.MinModRevision
            && (request.MaxCreateRevision == 0 || kv.CreateRevision <= request.MaxCreateRevision) && kv.CreateRevision >= request.MinCreateRevision).ToList();
        found = Sorted(found, request);
        var more = request.Limit > 0 && found.Count > request.Limit;
        if (more) found = found[..(int)request.Limit];
        if (request.KeysOnly) found = [.. found.Select(kv => new KeyValue(kv) { Value = ByteString.Empty })];
        return (found, more, inRange.Count);
    }

    static List<KeyValue> Sorted(List<KeyValue> found, RangeRequest request)
    {
        var order = Comparer<KeyValue>.Create((a, b) => request.SortTarget switch
        {
            SortTarget.Version => a.Version.CompareTo(b.Version),
            SortTarget.Create => a.CreateRevision.CompareTo(b.CreateRevision),
            SortTarget.Mod => a.ModRevision.CompareTo(b.ModRevision),
            SortTarget.Value => a.Value.Span.SequenceCompareTo(b.Value.Span),
            _ => a.Key.Span.SequenceCompareTo(b.Key.Span),
        });
        return request.SortOrder == SortOrder.Descend ? [.. found.OrderDescending(order)] : [.. found.Order(order)];
    }

    bool Decide(TxnRequest txn, List<RequestOp> taken)
    {
        var succeeded = txn.Compare.All(Holds);
        foreach (var operation in succeeded ? txn.Success : txn.Failure)
        {
            if (operation.RequestTxn is { } nested) Decide(nested, taken);
            else taken.Add(operation);
        }
        return succeeded;
    }

    bool Holds(Compare compare)
    {
        var found = InRange(now, compare.Key, compare.RangeEnd);
        if (found.Count == 0) return compare.Target != CompareTarget.Value && Holds(compare, new());
        return found.All(kv => Holds(compare, kv));
    }

    static bool Holds(Compare compare, KeyValue kv)
    {
        var order = compare.Target switch
        {
            CompareTarget.Version => kv.Version.CompareTo(compare.Version),
            CompareTarget.Create => kv.CreateRevision.CompareTo(compare.CreateRevision),
            CompareTarget.Mod => kv.ModRevision.CompareTo(compare.ModRevision),
            CompareTarget.Lease => kv.Lease.CompareTo(compare.Lease),
            _ => kv.Value.Span.SequenceCompareTo(compare.Value.Span),
        };
        return compare.Result switch
        {
            CompareResult.Equal => order == 0,
            CompareResult.NotEqual => order != 0,
            CompareResult.Greater => order > 0,
            _ => order < 0,
        };
    }

    static List<KeyValue> InRange(ImmutableSortedDictionary<string, KeyValue> state, ByteString key, ByteString end)
    {
        var (from, to) = (key.ToStringUtf8(), end.ToStringUtf8());
        return [.. state.Where(row => to switch
        {
            "" => row.Key == from,
            "\0" => string.CompareOrdinal(row.Key, from) >= 0,
            _ => string.CompareOrdinal(row.Key, from) >= 0 && string.CompareOrdinal(row.Key, to) < 0,
        }).Select(row => row.Value)];
    }

    void DoPut(PutRequest put)
    {
        var key = put.Key.ToStringUtf8();
        var previous = now.GetValueOrDefault(key);
        var kv = new KeyValue
        {
            Key = put.Key,
            Value = put.IgnoreValue ? previous!.Value : put.Value,
            Lease = put.IgnoreLease ? previous!.Lease : put.Lease,
            CreateRevision = previous?.CreateRevision ?? Revision + 1,
            ModRevision = Revision + 1,
            Version = (previous?.Version ?? 0) + 1,
        };
        now = now.SetItem(key, kv);
        changed = true;
        Events.Add((Revision + 1, key, false, kv, previous));
    }

    long DoDelete(DeleteRangeRequest delete)
    {
        var gone = InRange(now, delete.Key, delete.RangeEnd);
        foreach (var kv in gone)
        {
            now = now.Remove(kv.Key.ToStringUtf8());
            changed = true;
            Events.Add((Revision + 1, kv.Key.ToStringUtf8(), true, new() { Key = kv.Key, ModRevision = Revision + 1 }, kv));
        }
        return gone.Count;
    }

    void End()
    {
        if (changed) states.Add(now);
        changed = false;
    }
}
