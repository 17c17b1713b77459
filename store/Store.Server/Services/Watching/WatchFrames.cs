using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Store.State;

namespace Store.Server;

/// <summary>
/// Watch responses in gRPC's framing (a zero byte, the length in four bytes, the message), written by hand into one pooled buffer. The events stand
/// in the log as encoded KeyValues: sending one to a watcher is a copy.
/// </summary>
sealed class WatchFrames(MemberIdentity identity) : IDisposable
{
    const int PrefixBytes = 5;
    const int VarintBytesMax = 10;

    /// <summary>Prefix, header, ids and flags of a response at their largest, without a reason.</summary>
    const int EnvelopeBytesMax = PrefixBytes + 2 + 4 * (1 + VarintBytesMax) + 2 * (1 + VarintBytesMax) + 3 * 2;

    // Field number and wire type in etcdserverpb.WatchResponse, ResponseHeader and mvccpb.Event.
    const byte HeaderTag = 1 << 3 | 2, WatchIdTag = 2 << 3, CreatedTag = 3 << 3, CanceledTag = 4 << 3, CompactRevisionTag = 5 << 3,
        CancelReasonTag = 6 << 3 | 2, FragmentTag = 7 << 3, EventTag = 11 << 3 | 2;
    const byte ClusterTag = 1 << 3, MemberTag = 2 << 3, RevisionTag = 3 << 3, TermTag = 4 << 3;
    const byte EventTypeTag = 1 << 3, KeyValueTag = 2 << 3 | 2, PreviousTag = 3 << 3 | 2;

    readonly byte[] header = new byte[4 * (1 + VarintBytesMax)];
    int headerBytes;
    (long Revision, ulong Term) headerOf = (-1, 0);

    byte[] buffer = [];
    int length;

    public int Length => length;

    public ReadOnlyMemory<byte> Written => buffer.AsMemory(0, length);

    public void Clear() => length = 0;

    /// <summary>Gives the buffer back while there is nothing to say: an idle stream holds none.</summary>
    public void Dispose()
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        length = 0;
    }

    /// <summary>A whole response without events.</summary>
    public void WriteNotice(in WatchAnswer answer, ulong term)
    {
        var reason = ReasonOf(answer);
        SetHeader(answer.Revision, term);
        Reserve(EnvelopeBytesMax + 2 + VarintBytesMax + Encoding.UTF8.GetMaxByteCount(reason.Length));
        var prefix = length;
        length += PrefixBytes;
        WriteEnvelope(answer.WatchId);
        if (answer.Kind is WatchAnswerKind.Created or WatchAnswerKind.Refused) WriteField(CreatedTag, 1);
        if (answer.Kind is WatchAnswerKind.Canceled or WatchAnswerKind.Compacted or WatchAnswerKind.Refused) WriteField(CanceledTag, 1);
        if (answer.Kind == WatchAnswerKind.Compacted) WriteField(CompactRevisionTag, (ulong)answer.CompactRevision.Value);
        if (reason.Length > 0)
        {
            WriteField(CancelReasonTag, (ulong)Encoding.UTF8.GetByteCount(reason));
            length += Encoding.UTF8.GetBytes(reason, buffer.AsSpan(length));
        }
        WritePrefix(prefix, length - prefix - PrefixBytes);
    }

    /// <summary>The start of a response; exactly the announced bytes of events must follow.</summary>
    public void WriteEventsStart(long watchId, Revision revision, ulong term, bool moreFollows, long eventBytes)
    {
        SetHeader(revision, term);
        Reserve(EnvelopeBytesMax);
        var prefix = length;
        length += PrefixBytes;
        WriteEnvelope(watchId);
        if (moreFollows) WriteField(FragmentTag, 1);
        WritePrefix(prefix, length - prefix - PrefixBytes + eventBytes);
    }

    public void WriteEvent(in WatchEvent change, bool withPrevious)
    {
        var size = EventBytes(change, withPrevious);
        Reserve(1 + VarintBytesMax + size);
        WriteField(EventTag, (ulong)size);
        if (change.Stored.IsDelete) WriteField(EventTypeTag, 1);
        WriteBytes(KeyValueTag, change.Stored.KeyValue.Span);
        if (withPrevious && change.Previous is { } previous) WriteBytes(PreviousTag, previous.Span);
    }

    /// <summary>What the response takes without its events.</summary>
    public int EnvelopeBytes(long watchId, Revision revision, ulong term)
    {
        SetHeader(revision, term);
        return 2 + headerBytes + (watchId == 0 ? 0 : 1 + VarintBytes((ulong)watchId));
    }

    /// <summary>What the event takes in a response, tag and length included.</summary>
    public static int EventFieldBytes(in WatchEvent change, bool withPrevious)
    {
        var size = EventBytes(change, withPrevious);
        return 1 + VarintBytes((ulong)size) + size;
    }

    static int EventBytes(in WatchEvent change, bool withPrevious) =>
        (change.Stored.IsDelete ? 2 : 0) + FieldBytes(change.Stored.KeyValue.Length)
        + (withPrevious && change.Previous is { } previous ? FieldBytes(previous.Length) : 0);

    static int FieldBytes(int bytes) => 1 + VarintBytes((ulong)bytes) + bytes;

    void WriteEnvelope(long watchId)
    {
        WriteBytes(HeaderTag, header.AsSpan(0, headerBytes));
        if (watchId != 0) WriteField(WatchIdTag, (ulong)watchId);
    }

    void SetHeader(Revision revision, ulong term)
    {
        if (headerOf == (revision.Value, term)) return;
        headerOf = (revision.Value, term);
        var at = 0;
        AddHeaderField(ClusterTag, identity.ClusterId, ref at);
        AddHeaderField(MemberTag, identity.MemberId.Value, ref at);
        AddHeaderField(RevisionTag, (ulong)revision.Value, ref at);
        AddHeaderField(TermTag, term, ref at);
        headerBytes = at;
    }

    void AddHeaderField(byte tag, ulong value, ref int at)
    {
        if (value == 0) return;
        header[at++] = tag;
        at += WriteVarint(header.AsSpan(at), value);
    }

    void WriteField(byte tag, ulong value)
    {
        buffer[length++] = tag;
        length += WriteVarint(buffer.AsSpan(length), value);
    }

    void WriteBytes(byte tag, ReadOnlySpan<byte> bytes)
    {
        WriteField(tag, (ulong)bytes.Length);
        bytes.CopyTo(buffer.AsSpan(length));
        length += bytes.Length;
    }

    void WritePrefix(int at, long messageBytes)
    {
        buffer[at] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(at + 1), checked((uint)messageBytes));
    }

    void Reserve(int bytes)
    {
        if (buffer.Length - length >= bytes) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(length + bytes, Math.Max(2 * buffer.Length, 1024)));
        Written.CopyTo(larger);
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    static int WriteVarint(Span<byte> span, ulong value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7) span[at++] = (byte)(value | 0x80);
        span[at++] = (byte)value;
        return at;
    }

    static int VarintBytes(ulong value) => (70 - System.Numerics.BitOperations.LeadingZeroCount(value | 1)) / 7;

    static string ReasonOf(in WatchAnswer answer) => answer.Refusal switch
    {
        WatchRefusal.NegativeStart => StatusMapping.ToStatus(StoreError.Compacted).Detail,
        WatchRefusal.EmptyRange => "mvcc: watcher range is empty",
        // Here etcd sends the whole of what Go prints for the status.
        WatchRefusal.Denied => $"rpc error: code = {StatusMapping.ToStatus(answer.Denied).StatusCode} desc = {StatusMapping.ToStatus(answer.Denied).Detail}",
        WatchRefusal.DuplicateId => "mvcc: duplicate watch ID provided on the WatchStream",
        _ => "",
    };
}
