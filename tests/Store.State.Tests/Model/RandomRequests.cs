using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using CompareResult = Store.Protocol.Etcdserverpb.Compare.Types.CompareResult;
using CompareTarget = Store.Protocol.Etcdserverpb.Compare.Types.CompareTarget;
using SortOrder = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortOrder;
using SortTarget = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortTarget;

namespace Store.State.Tests;

/// <summary>Requests with every option, over few keys, so that histories cross each other often.</summary>
sealed class RandomRequests(Random random, int keys = 14)
{
    public const int Leases = 4;

    public ByteString Key() => Machine.Text($"{(char)('a' + random.Next(3))}{random.Next((keys + 2) / 3)}");

    public ByteString End() => random.Next(5) switch
    {
        0 => Machine.Text("\0"),
        1 or 2 => Key(),
        _ => ByteString.Empty,
    };

    public PutRequest Put(bool withOptions = true)
    {
        var put = new PutRequest { Key = Key(), Value = Value(), PrevKv = random.Next(3) == 0 };
        if (withOptions && random.Next(4) == 0) put.Lease = random.Next(Leases + 2);
        if (withOptions && random.Next(12) == 0) (put.IgnoreValue, put.Value) = (true, ByteString.Empty);
        if (withOptions && random.Next(12) == 0) (put.IgnoreLease, put.Lease) = (true, 0);
        return put;
    }

    public DeleteRangeRequest Delete() => new() { Key = Key(), RangeEnd = random.Next(3) == 0 ? End() : ByteString.Empty, PrevKv = random.Next(2) == 0 };

    public RangeRequest Range(long revision)
    {
        var range = new RangeRequest
        {
            Key = random.Next(3) == 0 ? Machine.Text("\0") : Key(),
            RangeEnd = random.Next(3) == 0 ? Machine.Text("\0") : End(),
            Limit = random.Next(3) == 0 ? random.Next(6) : 0,
            Revision = random.Next(2) == 0 ? 0 : random.NextInt64(-1, revision + 2),
            KeysOnly = random.Next(6) == 0,
            CountOnly = random.Next(10) == 0,
        };
        if (random.Next(2) == 0) (range.SortTarget, range.SortOrder) = ((SortTarget)random.Next(5), (SortOrder)random.Next(3));
        if (random.Next(5) == 0) range.MinModRevision = random.NextInt64(revision + 1);
        if (random.Next(5) == 0) range.MaxModRevision = random.NextInt64(revision + 1);
        if (random.Next(5) == 0) range.MinCreateRevision = random.NextInt64(revision + 1);
        if (random.Next(5) == 0) range.MaxCreateRevision = random.NextInt64(revision + 1);
        return range;
    }

    /// <summary>Passes validation.</summary>
    public TxnRequest Txn(long revision)
    {
        while (true)
        {
            var txn = AnyTxn(revision, depth: 0);
            if (RequestValidation.CheckTxn(txn, 128) == StoreError.None) return txn;
        }
    }

    TxnRequest AnyTxn(long revision, int depth)
    {
        var txn = new TxnRequest();
        for (var i = random.Next(3); i > 0; i--) txn.Compare.Add(Compare(revision));
        for (var i = random.Next(4); i > 0; i--) txn.Success.Add(Operation(revision, depth));
        for (var i = random.Next(3); i > 0; i--) txn.Failure.Add(Operation(revision, depth));
        return txn;
    }

    RequestOp Operation(long revision, int depth) => random.Next(depth < 2 ? 5 : 4) switch
    {
        0 => new() { RequestRange = Range(revision) },
        1 => new() { RequestDeleteRange = Delete() },
        4 => new() { RequestTxn = AnyTxn(revision, depth + 1) },
        _ => new() { RequestPut = Put() },
    };

    Compare Compare(long revision)
    {
        var compare = new Compare
        {
            Key = Key(),
            RangeEnd = random.Next(5) == 0 ? End() : ByteString.Empty,
            Result = (CompareResult)random.Next(4),
            Target = (CompareTarget)random.Next(5),
        };
        switch (compare.Target)
        {
            case CompareTarget.Version: compare.Version = random.Next(4); break;
            case CompareTarget.Create: compare.CreateRevision = random.NextInt64(revision + 1); break;
            case CompareTarget.Mod: compare.ModRevision = random.Next(2) == 0 ? 0 : random.NextInt64(revision + 1); break;
            case CompareTarget.Lease: compare.Lease = random.Next(3); break;
            case CompareTarget.Value: compare.Value = Value(); break;
        }
        return compare;
    }

    ByteString Value() => Machine.Text(new string((char)('p' + random.Next(4)), random.Next(4)));
}
