using Google.Protobuf;
using Store.State;

namespace Store.Server;

/// <summary>The fields of etcdserverpb.RangeResponse by hand: its rows stand in memory as they go on the wire.</summary>
static class RangeFields
{
    // Field number and wire type of etcdserverpb.RangeResponse and ResponseHeader.
    const byte HeaderTag = 1 << 3 | 2, RowTag = 2 << 3 | 2, MoreTag = 3 << 3, CountTag = 4 << 3;
    const byte ClusterTag = 1 << 3, MemberTag = 2 << 3, RevisionTag = 3 << 3, TermTag = 4 << 3;
    const int VarintBytesMax = 10;

    public const int HeaderBytesMax = 2 + 4 * (1 + VarintBytesMax);

    public const int TailBytesMax = 3 + VarintBytesMax;

    /// <summary>What a row takes beside its own bytes, at most.</summary>
    public const int RowOverheadMax = 1 + VarintBytesMax;

    public static int HeaderBytes(MemberIdentity identity, Revision revision, ulong term) => 2 + HeaderContentBytes(identity, revision, term);

    public static int RowBytes(int length) => 1 + CodedOutputStream.ComputeLengthSize(length) + length;

    public static int TailBytes(bool more, long count) => (more ? 2 : 0) + FieldSize((ulong)count);

    public static int WriteHeader(Span<byte> span, MemberIdentity identity, Revision revision, ulong term)
    {
        span[0] = HeaderTag;
        span[1] = (byte)HeaderContentBytes(identity, revision, term); // Four varints at most: under 128.
        var at = 2;
        at += WriteField(span[at..], ClusterTag, identity.ClusterId);
        at += WriteField(span[at..], MemberTag, identity.MemberId.Value);
        at += WriteField(span[at..], RevisionTag, (ulong)revision.Value);
        return at + WriteField(span[at..], TermTag, term);
    }

    public static int WriteRow(Span<byte> span, ReadOnlySpan<byte> row)
    {
        span[0] = RowTag;
        var at = 1 + WriteVarint(span[1..], (ulong)row.Length);
        row.CopyTo(span[at..]);
        return at + row.Length;
    }

    public static int WriteTail(Span<byte> span, bool more, long count)
    {
        var at = WriteField(span, MoreTag, more ? 1UL : 0);
        return at + WriteField(span[at..], CountTag, (ulong)count);
    }

    public static int WriteVarint(Span<byte> span, ulong value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7) span[at++] = (byte)(value | 0x80);
        span[at++] = (byte)value;
        return at;
    }

    static int HeaderContentBytes(MemberIdentity identity, Revision revision, ulong term) =>
        FieldSize(identity.ClusterId) + FieldSize(identity.MemberId.Value) + FieldSize((ulong)revision.Value) + FieldSize(term);

    /// <summary>Zero is not written, as proto3 has it.</summary>
    static int WriteField(Span<byte> span, byte tag, ulong value)
    {
        if (value == 0) return 0;
        span[0] = tag;
        return 1 + WriteVarint(span[1..], value);
    }

    static int FieldSize(ulong value) => value == 0 ? 0 : 1 + CodedOutputStream.ComputeUInt64Size(value);
}
