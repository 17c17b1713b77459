using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.InteropServices;

namespace Store.Server;

/// <summary>
/// etcdctl 3.4 (and every client of its Go library that dials one member by its URL: status, hashkv, snapshot, defrag) sends the whole URL as
/// :authority, "http://10.0.0.1:2379" or, over TLS, "https://10.0.0.1:2379". Go's servers do not look; Kestrel refuses the stream with PROTOCOL_ERROR and has no setting for it. So the three
/// bytes "://" are replaced by a host name's letters in the one place where they stand.
/// </summary>
/// <remarks>
/// 1. HPACK writes a header in full once and refers to it by number afterwards: only the first HEADERS frame of a connection has to be looked at.
/// 2. Both ends account for the table entry by its decoded length, so the length must stay: "://" (7, 6 and 6 bits in Huffman's code) becomes "j--" (also
///    7, 6 and 6 bits), in place.
/// </remarks>
sealed class AuthorityRepair(PipeReader inner) : PipeReader
{
    const int FrameHeaderBytes = 9;
    const byte HeadersFrame = 1, PaddedFlag = 8, PriorityFlag = 0x20;

    /// <summary>Literal with incremental indexing, name 1 of the static table (:authority); the value follows.</summary>
    const byte AuthorityLiteral = 0x41;
    const byte HuffmanFlag = 0x80;

    /// <summary>The scheme's bits, "http" or "https"; then "://" and what replaces it.</summary>
    const int HttpBits = 22, HttpsBits = HttpBits + 5, BitsReplaced = 19;
    const ulong HttpCode = 0b100111_01001_01001_101011, HttpsCode = HttpCode << 5 | 0b01000;
    const ulong OldCode = 0b1011100_011000_011000, NewCode = 0b1110100_010110_010110;

    ReadOnlySequence<byte> current;
    long ahead = ProtocolPreface.Http2.Length;
    bool done;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        done ? inner.ReadAsync(cancellationToken) : InspectAsync(cancellationToken);

    public override bool TryRead(out ReadResult result)
    {
        var read = inner.TryRead(out result);
        if (read && !done) Inspect(result.Buffer);
        return read;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!done)
        {
            ahead -= current.Slice(0, consumed).Length;
            current = default;
        }

        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    async ValueTask<ReadResult> InspectAsync(CancellationToken cancellationToken)
    {
        var result = await inner.ReadAsync(cancellationToken);
        Inspect(result.Buffer);
        return result;
    }

    /// <summary>Walks over frames until the first HEADERS frame is here as a whole. The server takes no part of a frame, so nothing is missed.</summary>
    void Inspect(in ReadOnlySequence<byte> buffer)
    {
        current = buffer;
        Span<byte> header = stackalloc byte[FrameHeaderBytes];
        while (buffer.Length >= ahead + FrameHeaderBytes)
        {
            buffer.Slice(ahead, FrameHeaderBytes).CopyTo(header);
            var length = BinaryPrimitives.ReadUInt32BigEndian(header) >> 8;
            if (header[3] == HeadersFrame)
            {
                if (buffer.Length < ahead + FrameHeaderBytes + length) return;
                Repair(buffer.Slice(ahead + FrameHeaderBytes, length), header[4]);
                done = true;
                current = default;
                return;
            }

            ahead += FrameHeaderBytes + length;
        }
    }

    static void Repair(in ReadOnlySequence<byte> frame, byte flags)
    {
        var block = frame.Slice(((flags & PaddedFlag) != 0 ? 1 : 0) + ((flags & PriorityFlag) != 0 ? 5 : 0));
        // A frame that lies across two pieces of memory is left as it is: it does not happen to a connection's first request.
        if (!block.IsSingleSegment) return;
        Repair(MemoryMarshal.AsMemory(block.First).Span);
    }

    /// <summary>For the header block of a connection's first request.</summary>
    internal static void Repair(Span<byte> block)
    {
        var at = block.IndexOf(AuthorityLiteral);
        if (at < 0 || at + 2 + 7 > block.Length) return;
        var value = block[(at + 2)..];
        if ((block[at + 1] & HuffmanFlag) == 0)
        {
            if (value.StartsWith("http://"u8)) "---"u8.CopyTo(value[4..]);
            else if (value.StartsWith("https://"u8)) "---"u8.CopyTo(value[5..]);
            return;
        }

        Span<byte> bits = stackalloc byte[8];
        value[..Math.Min(8, value.Length)].CopyTo(bits);
        var word = BinaryPrimitives.ReadUInt64BigEndian(bits);
        var schemeBits = word >> (64 - HttpsBits) == HttpsCode ? HttpsBits : HttpBits;
        var rest = 64 - schemeBits - BitsReplaced;
        if (word >> (64 - HttpBits) != HttpCode || ((word >> rest) & ((1UL << BitsReplaced) - 1)) != OldCode) return;
        BinaryPrimitives.WriteUInt64BigEndian(bits, word ^ ((OldCode ^ NewCode) << rest));
        bits[..Math.Min(8, value.Length)].CopyTo(value);
    }
}

/// <summary>A connection whose input goes through <see cref="AuthorityRepair"/>.</summary>
sealed class RepairedTransport(IDuplexPipe inner) : IDuplexPipe
{
    public PipeReader Input { get; } = new AuthorityRepair(inner.Input);

    public PipeWriter Output => inner.Output;
}
