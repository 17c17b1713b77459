using System.Diagnostics;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Store.Protocol.Etcdserverpb;
using Store.State;
using Store.Storage;

namespace Store.Server;

/// <summary>
/// The stream of etcd's Maintenance service: the whole state as a file in etcd's own format, from one moment, while writes go on; then the SHA-256 of all that
/// (contract 1.9). What is held in memory is a page for each level of the file's trees, or a file of up to 16 MiB (<see cref="BoltImage"/>).
/// </summary>
public sealed class SnapshotStreams(ReplicaLoop loop, AccessControl access, LeaderLoss leaderLoss, IHostApplicationLifetime lifetime) : Maintenance.MaintenanceBase
{
    public const int HashBytes = SHA256.HashSizeInBytes;
    const int BlobBytes = 32 * 1024;

    public override async Task Snapshot(SnapshotRequest request, IServerStreamWriter<SnapshotResponse> responseStream, ServerCallContext context)
    {
        var started = Stopwatch.GetTimestamp();
        using var client = ClientStream.Open(context, loop, leaderLoss, lifetime, servedByLearners: true);
        await access.RequireAsync(context, RequiredAccess.Administrative);
        try
        {
            using var view = loop.View.Pin();
            var buckets = EtcdBackend.Of(view);
            // Reads everything once: not on the connection's turn.
            using var layout = await Task.Run(() => BoltImage.Measure(buckets, client.Ended), client.Ended);
            await SendAsync(
                BoltImage.Write(buckets, layout), layout.SizeBytes, (blob, left) => responseStream.WriteAsync(Response(blob, left), client.Ended));
            StoreMetrics.BackendSnapshotSeconds.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        catch (OperationCanceledException) when (client.Ended.IsCancellationRequested)
        {
            throw StatusMapping.ToException(context.CancellationToken.IsCancellationRequested ? StoreError.RequestCanceled : client.WhyEnded ?? StoreError.RequestCanceled);
        }
    }

    /// <summary>The pieces in blobs of one size, then their hash.</summary>
    /// <param name="send">A blob, and how many bytes come behind it.</param>
    internal static async Task SendAsync(IEnumerable<ReadOnlyMemory<byte>> pieces, long sizeBytes, Func<ReadOnlyMemory<byte>, long, Task> send)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var blob = new byte[BlobBytes];
        var (filled, left) = (0, sizeBytes);
        foreach (var piece in pieces)
        {
            for (var rest = piece; !rest.IsEmpty;)
            {
                var count = Math.Min(rest.Length, BlobBytes - filled);
                rest[..count].CopyTo(blob.AsMemory(filled));
                rest = rest[count..];
                filled += count;
                if (filled < BlobBytes) continue;
                await SendBlobAsync();
            }
        }

        if (filled > 0) await SendBlobAsync();
        await send(hash.GetHashAndReset(), left);

        async Task SendBlobAsync()
        {
            hash.AppendData(blob.AsSpan(0, filled));
            left -= filled;
            await send(blob.AsMemory(0, filled), left);
            filled = 0;
        }
    }

    /// <summary>The blob is on its way when the write returns, and its memory may be used again.</summary>
    static SnapshotResponse Response(ReadOnlyMemory<byte> blob, long left) =>
        new() { Blob = UnsafeByteOperations.UnsafeWrap(blob), RemainingBytes = (ulong)left, Version = EtcdBackend.StorageVersion };
}
