using System.Buffers;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.State;

namespace Store.Server;

/// <summary>etcdserverpb.KV: reads from the published view, writes through the log.</summary>
sealed class KvService(ServerOptions options, MemberIdentity identity, ReplicaLoop loop, RangeAdmission admission)
{
    /// <summary>A range of at most so many rows does not ask for admission: it is small unless its values are huge.</summary>
    const long RowsWithoutAdmission = 100;

    static readonly TimeSpan CompactionPollInterval = TimeSpan.FromMilliseconds(10);

    public IEnumerable<UnaryMethod> Methods =>
    [
        UnaryMethod.Of("KV", "Range", RangeRequest.Parser, RangeAsync),
        UnaryMethod.Of("KV", "Put", PutAsync),
        UnaryMethod.Of("KV", "DeleteRange", DeleteRangeRequest.Parser, DeleteRangeAsync),
        UnaryMethod.Of("KV", "Txn", TxnRequest.Parser, TxnAsync),
        UnaryMethod.Of("KV", "Compact", CompactionRequest.Parser, CompactAsync),
    ];

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Answer> RangeAsync(RangeRequest request, Caller caller)
    {
        StoreMetrics.Ranges.Add();
        if (RequestValidation.CheckRange(request) is not StoreError.None and var invalid) return invalid;
        if (await ReadyToReadAsync(request.Serializable, CancellationToken.None) is not StoreError.None and var notReady) return notReady;

        var bytes = EstimatedBytes(request);
        if (bytes > PinnedRange.MemoryBytes && PlainRange.Fits(request)) return await PinnedAsync(request, caller);

        RangeAdmission.Lease lease = default;
        if (bytes > 0) lease = await admission.EnterAsync(bytes, caller.Aborted);
        // Whoever writes the answer gives the lease back. Until there is an answer that falls to us, also when the read throws: else it would be lost for ever.
        var answered = false;
        try
        {
            var result = loop.View.Range(request);
            if (result.Error != StoreError.None) return result.Error;
            answered = true;
            return Answer.Of(new CollectedRange(identity, result, loop.Status.Term.Value, lease));
        }
        finally
        {
            if (!answered) lease.Dispose();
        }
    }

    /// <summary>A large range is not collected: it is read while it is written.</summary>
    async ValueTask<Answer> PinnedAsync(RangeRequest request, Caller caller)
    {
        var lease = await admission.EnterAsync(PinnedRange.MemoryBytes, caller.Aborted);
        PinnedView? view = null;
        var answered = false;
        try
        {
            view = loop.View.Pin();
            if (PlainRange.Begin(view, request, out var range) is not StoreError.None and var error) return error;
            answered = true;
            return Answer.Of(new PinnedRange(identity, view, range!, loop.Status.Term.Value, lease));
        }
        finally
        {
            if (!answered)
            {
                view?.Dispose();
                lease.Dispose();
            }
        }
    }

    /// <summary>Read in place, and proposed as it came; protobuf is asked only where that cannot be done.</summary>
    ValueTask<Answer> PutAsync(ReadOnlySequence<byte> message, Caller caller)
    {
        var bytes = message.IsSingleSegment ? message.FirstSpan : message.ToArray();
        if (!caller.IsNobody || !PutFields.TryRead(bytes, out var put)) return PutAsync(PutRequest.Parser.ParseFrom(message), caller);
        StoreMetrics.Puts.Add();
        if (RequestValidation.CheckPut(put) is not StoreError.None and var invalid) return new(invalid);
        return loop.IsLearner ? new(StoreError.NotSupportedForLearner) : loop.AnswerAsync<PutResponse>(loop.ProposePutAsync(bytes), identity, static r => r.Header);
    }

    public ValueTask<Answer> PutAsync(PutRequest request, Caller caller)
    {
        StoreMetrics.Puts.Add();
        if (RequestValidation.CheckPut(request) is not StoreError.None and var invalid) return new(invalid);
        return ProposeAsync<PutResponse>(new() { Put = request }, caller, static r => r.Header);
    }

    public ValueTask<Answer> DeleteRangeAsync(DeleteRangeRequest request, Caller caller)
    {
        StoreMetrics.Deletes.Add();
        if (RequestValidation.CheckDeleteRange(request) is not StoreError.None and var invalid) return new(invalid);
        return ProposeAsync<DeleteRangeResponse>(new() { DeleteRange = request }, caller, static r => r.Header);
    }

    /// <summary>
    /// A transaction that only reads needs no log. Nor does a compare-and-swap that is lost already: when the newest state here takes a path without
    /// writes, the read is confirmed and the path taken again; only a path that writes is proposed, and there it is decided anew. With users it is always
    /// proposed unless it could not write at all: whether one may read is then checked with what is read. So it is under NOSPACE, which refuses what might have written, too.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Answer> TxnAsync(TxnRequest request, Caller caller)
    {
        StoreMetrics.Txns.Add();
        if (RequestValidation.CheckTxn(request, options.TxnOperationsMax) is not StoreError.None and var invalid) return invalid;
        if ((RequestValidation.IsReadOnly(request) || (caller.IsNobody && !loop.View.Cluster.IsFull)) && loop.View.Txn(request) is not null)
        {
            var ready = await ReadyToReadAsync(RequestValidation.IsSerializable(request), CancellationToken.None);
            if (ready != StoreError.None) return ready;
            if (loop.View.Txn(request) is { } read)
            {
                if (read.Error != StoreError.None) return read.Error;
                identity.Stamp(read.Response!.Header, loop.Status.Term);
                return Answer.Of(read.Response);
            }
        }

        return await ProposeAsync<TxnResponse>(new() { Txn = request }, caller, static r => r.Header);
    }

    public async ValueTask<Answer> CompactAsync(CompactionRequest request, Caller caller)
    {
        var answer = await ProposeAsync<CompactionResponse>(new() { Compaction = request }, caller, static r => r.Header);
        if (answer.Error != StoreError.None || !request.Physical) return answer;
        // `physical` asks for the space, too: the loop deletes in small pieces between its other work.
        while (await loop.AskAsync(static replica => replica.State.IsCompacting)) await Task.Delay(CompactionPollInterval, caller.Aborted);
        return answer;
    }

    /// <summary>Sends the command through the log and completes the header of its answer.</summary>
    ValueTask<Answer> ProposeAsync<TResponse>(Command command, Caller caller, Func<TResponse, ResponseHeader> headerOf)
        where TResponse : class, IMessage
    {
        if (loop.IsLearner) return new(StoreError.NotSupportedForLearner);
        caller.Sign(command);
        if (command.CalculateSize() > options.RequestBytesMax) return new(StoreError.RequestTooLarge);
        if (loop.IsCorrupt) return new(StoreError.CorruptCluster);
        return loop.AnswerAsync(loop.ProposeAsync(command, CancellationToken.None), identity, headerOf);
    }

    /// <summary>Learners serve serializable ranges alone (contract 1.6, end).</summary>
    async ValueTask<StoreError> ReadyToReadAsync(bool serializable, CancellationToken cancellationToken)
    {
        if (loop.IsCorrupt) return StoreError.CorruptCluster;
        if (serializable) return StoreError.None;
        return loop.IsLearner ? StoreError.NotSupportedForLearner : await loop.ReadIndexAsync(cancellationToken);
    }

    /// <summary>Zero for a range that is small by its shape. A count in the index (O(log n)) tells the share of the live bytes that it may return.</summary>
    long EstimatedBytes(RangeRequest request)
    {
        if (request.RangeEnd.IsEmpty || request.CountOnly || request.Limit is > 0 and <= RowsWithoutAdmission) return 0;
        var view = loop.View;
        var rows = view.Range(new() { Key = request.Key, RangeEnd = request.RangeEnd, CountOnly = true }).Count;
        if (request.Limit > 0) rows = Math.Min(rows, request.Limit);
        if (rows <= RowsWithoutAdmission) return 0;
        return view.LiveBytes / Math.Max(1, view.KeyCount) * rows;
    }
}
