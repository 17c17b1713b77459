using System.Buffers.Binary;
using Store.Raft;
using Store.Storage;

namespace Store.Server;

/// <summary>What a connection between members is for. Bulk has its own, so that it never delays heartbeats.</summary>
enum PeerChannel : byte
{
    Messages = 1,
    Requests = 2,
    Snapshot = 3,
}

/// <summary>Why a member turned a connection away; <see cref="Welcome"/>: it did not.</summary>
enum PeerRefusal : byte
{
    Welcome = 0,
    ClusterIdMismatch = 1,
    /// <summary>The one who was asked is not the member that the caller looks for.</summary>
    UnknownMember = 2,
    /// <summary>The caller was removed from the cluster and may never come back.</summary>
    RemovedMember = 3,
    UnsupportedVersion = 4,
}

/// <summary>
/// The first bytes of every peer connection: "SCPEER", a zero, the version, then one frame-like block: length (4), CRC-32C (4), channel (1), cluster id (8), from (8),
/// to (8), the caller's peer URLs. The answer is one block of the same shape: refusal (1), cluster id (8), member id (8).
/// <para>The caller's URLs let a member that lags behind the log answer one whom it does not know yet.</para>
/// </summary>
sealed record PeerHandshake(PeerChannel Channel, ulong ClusterId, NodeId From, NodeId To, IReadOnlyList<string> PeerUrls)
{
    public const byte Version = 1;

    const int BlockBytesMax = 16 << 10;

    public static ReadOnlySpan<byte> Magic => "SCPEER\0"u8;

    public static int PrefixBytes => Magic.Length + 1;

    public async Task<PeerAnswer> SendAsync(Stream stream, CancellationToken cancellationToken)
    {
        var frames = new FrameBuffer();
        frames.BeginFrame((FrameType)Channel);
        frames.WriteLong(ClusterId);
        frames.WriteLong(From.Value);
        frames.WriteLong(To.Value);
        frames.WriteInt(PeerUrls.Count);
        foreach (var url in PeerUrls) frames.WriteText(url);
        frames.EndFrame();
        byte[] hello = [.. Magic, Version, .. frames.Written];
        await stream.WriteAsync(hello, cancellationToken);
        var (refusal, payload) = await ReadBlockAsync(stream, cancellationToken);
        var reader = new PayloadReader(payload);
        return new((PeerRefusal)refusal, reader.Long(), new(reader.Long()));
    }

    /// <summary>Reads what follows the magic and the version.</summary>
    public static async Task<PeerHandshake> ReceiveAsync(Stream stream, CancellationToken cancellationToken)
    {
        var (channel, payload) = await ReadBlockAsync(stream, cancellationToken);
        var reader = new PayloadReader(payload);
        var (cluster, from, to) = (reader.Long(), new NodeId(reader.Long()), new NodeId(reader.Long()));
        var urls = new string[reader.Count(4)];
        for (var i = 0; i < urls.Length; i++) urls[i] = reader.Text();
        return new((PeerChannel)channel, cluster, from, to, urls);
    }

    public static async Task AnswerAsync(Stream stream, PeerAnswer answer, CancellationToken cancellationToken)
    {
        var frames = new FrameBuffer();
        frames.BeginFrame((FrameType)answer.Refusal);
        frames.WriteLong(answer.ClusterId);
        frames.WriteLong(answer.Member.Value);
        frames.EndFrame();
        await stream.WriteAsync(frames.WrittenMemory, cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    static async Task<(byte Type, ReadOnlyMemory<byte> Payload)> ReadBlockAsync(Stream stream, CancellationToken cancellationToken)
    {
        var header = new byte[FrameBuffer.HeaderBytes];
        await stream.ReadExactlyAsync(header, cancellationToken);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < 1 or > BlockBytesMax) throw new InvalidDataException("handshake of an impossible length");
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellationToken);
        if (Crc32C.Compute(body) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4))) throw new InvalidDataException("handshake with a wrong checksum");
        return (body[0], body.AsMemory(1));
    }
}

/// <param name="ClusterId">The answering member's cluster.</param>
sealed record PeerAnswer(PeerRefusal Refusal, ulong ClusterId, NodeId Member);
