using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Store.Protocol.Backup;
using Store.State;
using Store.Storage;

namespace Store.Server;

/// <summary>
/// The snapshot stream for the backup agent: linearizable, with what the agent has to know of the moment, and without the rows that it has already. Like
/// <see cref="SnapshotStreams"/> it holds little in memory, and no writer waits for it.
/// </summary>
public sealed class BackupStreams(ReplicaLoop loop, MemberIdentity identity, AccessControl access, LeaderLoss leaderLoss, IHostApplicationLifetime lifetime, TimeProvider time)
    : Backup.BackupBase
{
    public override async Task Copy(CopyRequest request, IServerStreamWriter<CopyResponse> responseStream, ServerCallContext context)
    {
        using var client = ClientStream.Open(context, loop, leaderLoss, lifetime, servedByLearners: true);
        await access.RequireAsync(context, RequiredAccess.Administrative);
        try
        {
            if (await loop.ReadIndexAsync(client.Ended) is not StoreError.None and var notReady) throw StatusMapping.ToException(notReady);
            using var view = loop.View.Pin();
            var now = time.GetUtcNow();
            var after = new Revision(request.AfterRevision);
            var refused = Refusal(view.View, after);
            if (refused != StoreError.None && !request.Whole) throw StatusMapping.ToException(refused);
            var buckets = EtcdBackend.Of(view, request.Whole ? Revision.None : after);
            using var layout = await MeasureAsync(buckets, request.BytesPerSecond, client.Ended);
            var hash = request.WithHash ? await Task.Run(view.HashKv, client.Ended) : default(uint?);
            var head = Head(view, layout, now);
            if (hash is { } known) head.KvHash = known;
            if (refused == StoreError.None) head.AfterMark = view.MarkOf(after);
            await responseStream.WriteAsync(new() { Head = head }, client.Ended);
            await SnapshotStreams.SendAsync(BoltImage.Write(buckets, layout), layout.SizeBytes, (blob, _) => responseStream.WriteAsync(Response(blob), client.Ended));
        }
        catch (OperationCanceledException) when (client.Ended.IsCancellationRequested)
        {
            throw StatusMapping.ToException(context.CancellationToken.IsCancellationRequested ? StoreError.RequestCanceled : client.WhyEnded ?? StoreError.RequestCanceled);
        }
    }

    /// <summary>Goes through everything: not on the connection's turn, and, where it is to take its time, on a thread that may sleep.</summary>
    Task<BoltLayout> MeasureAsync(IReadOnlyList<BackendBucket> buckets, long bytesPerSecond, CancellationToken ended) => bytesPerSecond <= 0
        ? Task.Run(() => BoltImage.Measure(buckets, ended), ended)
        : Task.Factory.StartNew(
            () => BoltImage.Measure(new ReadingPace(bytesPerSecond, time, ended).Hold(buckets), ended), ended, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    static StoreError Refusal(StateView view, Revision after) =>
        after > view.Revision ? StoreError.FutureRevision
        : after.Value > 0 && after < view.Compacted ? StoreError.Compacted
        : StoreError.None;

    CopyHead Head(PinnedView pinned, BoltLayout layout, DateTimeOffset now)
    {
        var view = pinned.View;
        return new()
        {
            ClusterId = identity.ClusterId,
            MemberId = identity.MemberId.Value,
            AppliedIndex = view.Applied.Value,
            Revision = view.Revision.Value,
            CompactRevision = view.Compacted.Value,
            Mark = pinned.MarkOf(view.Revision),
            SizeBytes = layout.SizeBytes + SnapshotStreams.HashBytes,
            TimeMs = now.ToUnixTimeMilliseconds(),
            Version = ServerVersion.Own,
        };
    }

    /// <summary>The blob is on its way when the write returns, and its memory may be used again.</summary>
    static CopyResponse Response(ReadOnlyMemory<byte> blob) => new() { Blob = UnsafeByteOperations.UnsafeWrap(blob) };
}
