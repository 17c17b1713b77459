using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Store.Raft;
using Store.Storage;

namespace Store.Server;

/// <summary>Sends the whole state to members that the log no longer reaches back to: one at a time for each, on a connection of its own.</summary>
sealed class SnapshotOutbox(PeerNetwork network, Func<OutgoingSnapshot> create, Func<Term> term, Action<NodeId, LogIndex, bool> report, ILogger logger)
{
    /// <summary>A member that takes nothing for so long will not take the rest.</summary>
    static readonly TimeSpan StallMax = TimeSpan.FromSeconds(60);

    readonly Lock gate = new();
    readonly HashSet<NodeId> underWay = [];

    /// <summary>Returns at once; what came of it goes to <c>report</c>.</summary>
    public void Send(NodeId to, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (!underWay.Add(to)) return;
        }
        _ = Task.Run(() => RunAsync(to, cancellationToken), CancellationToken.None);
    }

    async Task RunAsync(NodeId to, CancellationToken cancellationToken)
    {
        var index = LogIndex.Zero;
        var delivered = false;
        try
        {
            using var snapshot = create();
            index = snapshot.Metadata.Index;
            Log.SnapshotSending(logger, to.ToString(), index.Value);
            await SendAsync(to, snapshot, cancellationToken);
            delivered = true;
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException or StorageException or OperationCanceledException or ObjectDisposedException)
        {
            Log.SnapshotNotSent(logger, to.ToString(), index.Value, e.Message);
        }
        finally
        {
            lock (gate) underWay.Remove(to);
            (delivered ? StoreMetrics.SnapshotsSent : StoreMetrics.SnapshotSendFailures).Add(1, new KeyValuePair<string, object?>("To", to.ToString()));
            report(to, index, delivered);
        }
    }

    async Task SendAsync(NodeId to, OutgoingSnapshot snapshot, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        if (network.UrlsOf(to) is not [var url, ..]) throw new IOException("unknown member");
        var (stream, answer) = await network.Dialer.DialAsync(url, to, PeerChannel.Snapshot, cancellationToken);
        if (stream is null) throw new IOException($"refused: {answer.Refusal}");
        await using var connection = stream;
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stalled.CancelAfter(StallMax);
        var frame = new FrameBuffer();
        frame.BeginFrame(FrameType.SnapshotBegin);
        frame.WriteLong(term().Value);
        frame.EndFrame();
        await foreach (var piece in snapshot.ReadPiecesAsync(stalled.Token))
        {
            frame.BeginFrame(FrameType.SnapshotPiece);
            frame.Write(piece.Span);
            frame.EndFrame();
            await connection.WriteAsync(frame.WrittenMemory, stalled.Token);
            frame.Clear();
            stalled.CancelAfter(StallMax);
        }
        frame.BeginFrame(FrameType.SnapshotEnd);
        frame.EndFrame();
        await connection.WriteAsync(frame.WrittenMemory, stalled.Token);
        await AwaitTakenAsync(connection, stalled.Token);
        Log.SnapshotSent(logger, to.ToString(), snapshot.Metadata.Index.Value, snapshot.SizeBytes, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    static async Task AwaitTakenAsync(Stream connection, CancellationToken cancellationToken)
    {
        await foreach (var (type, _) in PeerFrames.EnumerateAsync(PipeReader.Create(connection, new(leaveOpen: true)), cancellationToken))
        {
            if (type == FrameType.SnapshotTaken) return;
        }
        throw new IOException("the member closed the connection before it had taken the snapshot");
    }
}
