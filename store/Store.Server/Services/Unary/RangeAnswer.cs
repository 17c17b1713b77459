using System.IO.Pipelines;
using Google.Protobuf;
using Store.State;

namespace Store.Server;

/// <summary>
/// A RangeResponse written by hand: its rows stand in memory as they go on the wire, so they are copied once, from the engine's memory into the
/// response buffer, in pieces that wait for the client.
/// </summary>
sealed class RangeAnswer
{
    // Field number and wire type of etcdserverpb.RangeResponse and ResponseHeader.
    const byte HeaderTag = 1 << 3 | 2, RowTag = 2 << 3 | 2, MoreTag = 3 << 3, CountTag = 4 << 3;
    const byte ClusterTag = 1 << 3, MemberTag = 2 << 3, RevisionTag = 3 << 3, TermTag = 4 << 3;
    const int FlushBytes = 256 * 1024;
    const int VarintBytesMax = 10;

    readonly MemberIdentity identity;
    readonly RangeResult result;
    readonly ulong term;
    readonly int headerBytes;
    RangeAdmission.Lease lease;

    public RangeAnswer(MemberIdentity identity, RangeResult result, ulong term, RangeAdmission.Lease lease)
    {
        this.identity = identity;
        this.result = result;
        this.term = term;
        this.lease = lease;
        headerBytes = FieldSize(identity.ClusterId) + FieldSize(identity.MemberId.Value) + FieldSize((ulong)result.Revision.Value) + FieldSize(term);
        SizeBytes = 2 + headerBytes + (result.More ? 2 : 0) + FieldSize((ulong)result.Count);
        var rows = result.KeyValues;
        for (var i = 0; i < rows.Count; i++) SizeBytes += 1 + CodedOutputStream.ComputeLengthSize(rows[i].Length) + rows[i].Length;
    }

    public long SizeBytes { get; }

    public void Release()
    {
        lease.Dispose();
        lease = default;
    }

    public ValueTask WriteAsync(PipeWriter writer)
    {
        if (SizeBytes > FlushBytes) return WriteInPiecesAsync(writer);
        var span = writer.GetSpan((int)SizeBytes);
        var at = WriteHeader(span);
        var rows = result.KeyValues;
        for (var i = 0; i < rows.Count; i++) at += WriteRow(span[at..], rows[i].Span);
        at += WriteTail(span[at..]);
        writer.Advance(at);
        return default;
    }

    async ValueTask WriteInPiecesAsync(PipeWriter writer)
    {
        writer.Advance(WriteHeader(writer.GetSpan(2 + 4 * (1 + VarintBytesMax))));
        var unflushed = 0;
        var rows = result.KeyValues;
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            writer.Advance(WriteRow(writer.GetSpan(row.Length + 1 + VarintBytesMax), row.Span));
            if ((unflushed += row.Length) < FlushBytes) continue;
            unflushed = 0;
            if ((await writer.FlushAsync()).IsCompleted) return;
        }

        writer.Advance(WriteTail(writer.GetSpan(3 + VarintBytesMax)));
    }

    int WriteHeader(Span<byte> span)
    {
        span[0] = HeaderTag;
        span[1] = (byte)headerBytes; // Four varints at most: under 128.
        var at = 2;
        at += WriteField(span[at..], ClusterTag, identity.ClusterId);
        at += WriteField(span[at..], MemberTag, identity.MemberId.Value);
        at += WriteField(span[at..], RevisionTag, (ulong)result.Revision.Value);
        return at + WriteField(span[at..], TermTag, term);
    }

    static int WriteRow(Span<byte> span, ReadOnlySpan<byte> row)
    {
        span[0] = RowTag;
        var at = 1 + WriteVarint(span[1..], (ulong)row.Length);
        row.CopyTo(span[at..]);
        return at + row.Length;
    }

    int WriteTail(Span<byte> span) => WriteField(span, MoreTag, result.More ? 1UL : 0) is var at ? at + WriteField(span[at..], CountTag, (ulong)result.Count) : 0;

    /// <summary>Zero is not written, as proto3 has it.</summary>
    static int WriteField(Span<byte> span, byte tag, ulong value)
    {
        if (value == 0) return 0;
        span[0] = tag;
        return 1 + WriteVarint(span[1..], value);
    }

    static int WriteVarint(Span<byte> span, ulong value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7) span[at++] = (byte)(value | 0x80);
        span[at++] = (byte)value;
        return at;
    }

    static int FieldSize(ulong value) => value == 0 ? 0 : 1 + CodedOutputStream.ComputeUInt64Size(value);
}
