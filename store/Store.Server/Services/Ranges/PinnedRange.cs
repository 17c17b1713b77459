using System.IO.Pipelines;
using Store.State;

namespace Store.Server;

/// <summary>A range of any size: read while it is written, a piece at a time as the client takes it, so that it costs the memory of a piece.</summary>
sealed class PinnedRange : RangeAnswer
{
    /// <summary>A piece, what the transport has buffered, and the pages of keys behind them.</summary>
    public const long MemoryBytes = 1 << 20;

    readonly MemberIdentity identity;
    readonly PinnedView view;
    readonly PlainRange range;
    readonly ulong term;
    readonly RangeAdmission.Lease lease;

    /// <summary>Takes over the view and the lease.</summary>
    public PinnedRange(MemberIdentity identity, PinnedView view, PlainRange range, ulong term, RangeAdmission.Lease lease)
    {
        this.identity = identity;
        this.view = view;
        this.range = range;
        this.term = term;
        this.lease = lease;
        SizeBytes = RangeFields.HeaderBytes(identity, range.Revision, term) + range.KeyValueBytes + RangeFields.TailBytes(range.More, range.Count);
    }

    public override void Release()
    {
        view.Dispose();
        lease.Dispose();
    }

    public override async ValueTask WriteAsync(PipeWriter writer)
    {
        writer.Advance(RangeFields.WriteHeader(writer.GetSpan(RangeFields.HeaderBytesMax), identity, range.Revision, term));
        var pieces = new RangePieces(writer);
        while (range.Next(RangePieces.FlushBytes) is { Count: > 0 } rows)
            if (!await pieces.WriteAsync(rows, CancellationToken.None)) return;
        writer.Advance(RangeFields.WriteTail(writer.GetSpan(RangeFields.TailBytesMax), range.More, range.Count));
    }
}
