using System.Buffers.Binary;
using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Store.Protocol.Etcdserverpb;
using Store.State;

namespace Store.Server;

/// <summary>The stream of etcd's KV service: a range in chunks, each read when the client has taken the one before (contract 1.2).</summary>
public sealed class RangeStreams(ReplicaLoop loop, AccessControl access, MemberIdentity identity, ServerOptions options, LeaderLoss leaderLoss, IHostApplicationLifetime lifetime) : KV.KVBase
{
    const int PrefixBytes = 5;

    /// <summary>Of the only field of RangeStreamResponse: its number and wire type, and the length.</summary>
    const int WrapperBytesMax = 1 + 10;
    const byte ResponseTag = 1 << 3 | 2;

    public override async Task RangeStream(RangeRequest request, IServerStreamWriter<RangeStreamResponse> responseStream, ServerCallContext context)
    {
        StoreMetrics.Ranges.Add();
        using var client = ClientStream.Open(context, loop, leaderLoss, lifetime);
        try
        {
            var error = RangeChunks.Check(request);
            if (error == StoreError.None && loop.IsCorrupt) error = StoreError.CorruptCluster;
            if (error == StoreError.None && !request.Serializable) error = await loop.ReadIndexAsync(client.Ended);
            if (error != StoreError.None) throw StatusMapping.ToException(error);
            using var view = loop.View.Pin();
            // Asked of users and roles as they are after the view was taken: who had lost a permission by then reads nothing written since.
            await access.RequireAsync(context, RequiredAccess.Of(request));
            await SendAsync(view, request, context.GetHttpContext().Response.BodyWriter, client.Ended);
        }
        catch (OperationCanceledException) when (client.Ended.IsCancellationRequested)
        {
            throw StatusMapping.ToException(context.CancellationToken.IsCancellationRequested ? StoreError.RequestCanceled : client.WhyEnded ?? StoreError.RequestCanceled);
        }
    }

    async Task SendAsync(PinnedView view, RangeRequest request, PipeWriter writer, CancellationToken cancellationToken)
    {
        if (RangeChunks.Begin(view, request, options.RequestBytesMax, out var chunks) is not StoreError.None and var error) throw StatusMapping.ToException(error);
        while (chunks!.Next() is { } chunk)
        {
            if (!await SendAsync(chunk, view.View.Revision, writer, cancellationToken)) return;
        }
    }

    /// <summary>False when the client is gone.</summary>
    async ValueTask<bool> SendAsync(RangeChunk chunk, Revision revision, PipeWriter writer, CancellationToken cancellationToken)
    {
        var term = loop.Status.Term.Value;
        var size = chunk.KeyValueBytes;
        if (chunk.IsLast) size += RangeFields.HeaderBytes(identity, revision, term) + RangeFields.TailBytes(chunk.More, chunk.Count);
        writer.Advance(WriteStart(writer.GetSpan(PrefixBytes + WrapperBytesMax), size));
        if (chunk.IsLast) writer.Advance(RangeFields.WriteHeader(writer.GetSpan(RangeFields.HeaderBytesMax), identity, revision, term));
        if (!await new RangePieces(writer).WriteAsync(chunk.KeyValues, cancellationToken)) return false;
        if (chunk.IsLast) writer.Advance(RangeFields.WriteTail(writer.GetSpan(RangeFields.TailBytesMax), chunk.More, chunk.Count));
        StoreMetrics.ClientSentBytes.Add(PrefixBytes + size);
        return !(await writer.FlushAsync(cancellationToken)).IsCompleted;
    }

    /// <summary>gRPC's prefix and the field that holds the RangeResponse.</summary>
    static int WriteStart(Span<byte> span, long responseBytes)
    {
        var wrapper = 1 + RangeFields.WriteVarint(span[(PrefixBytes + 1)..], (ulong)responseBytes);
        span[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], checked((uint)(wrapper + responseBytes)));
        span[PrefixBytes] = ResponseTag;
        return PrefixBytes + wrapper;
    }
}
