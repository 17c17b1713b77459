using System.IO.Pipelines;
using Store.State;

namespace Store.Server;

/// <summary>
/// Rows that are at hand: small ranges, sorted and filtered ones. They are copied once, from the engine's memory into the response buffer, in pieces that
/// wait for the client.
/// </summary>
sealed class CollectedRange : RangeAnswer
{
    readonly MemberIdentity identity;
    readonly RangeResult result;
    readonly ulong term;
    RangeAdmission.Lease lease;

    public CollectedRange(MemberIdentity identity, RangeResult result, ulong term, RangeAdmission.Lease lease)
    {
        this.identity = identity;
        this.result = result;
        this.term = term;
        this.lease = lease;
        SizeBytes = RangeFields.HeaderBytes(identity, result.Revision, term) + RangeFields.TailBytes(result.More, result.Count);
        var rows = result.KeyValues;
        for (var i = 0; i < rows.Count; i++) SizeBytes += RangeFields.RowBytes(rows[i].Length);
    }

    public override void Release()
    {
        lease.Dispose();
        lease = default;
    }

    public override ValueTask WriteAsync(PipeWriter writer)
    {
        if (SizeBytes > RangePieces.FlushBytes) return WriteInPiecesAsync(writer);
        var span = writer.GetSpan((int)SizeBytes);
        var at = RangeFields.WriteHeader(span, identity, result.Revision, term);
        var rows = result.KeyValues;
        for (var i = 0; i < rows.Count; i++) at += RangeFields.WriteRow(span[at..], rows[i].Span);
        at += RangeFields.WriteTail(span[at..], result.More, result.Count);
        writer.Advance(at);
        return default;
    }

    async ValueTask WriteInPiecesAsync(PipeWriter writer)
    {
        writer.Advance(RangeFields.WriteHeader(writer.GetSpan(RangeFields.HeaderBytesMax), identity, result.Revision, term));
        if (!await new RangePieces(writer).WriteAsync(result.KeyValues, CancellationToken.None)) return;
        writer.Advance(RangeFields.WriteTail(writer.GetSpan(RangeFields.TailBytesMax), result.More, result.Count));
    }
}
