using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Store.Raft;
using Store.Storage;

namespace Store.Server;

/// <summary>
/// Takes in snapshots of the whole state. Once one is durable the core is told; when the core accepts it the loop asks for it by its point (<see cref="Take"/>). A snapshot
/// that the core does not want, because the log caught up meanwhile, is thrown away.
/// </summary>
sealed class SnapshotInbox(SnapshotStore store, ReplicaLoop loop, NodeId self, ILogger logger) : IDisposable
{
    readonly Lock gate = new();
    readonly SemaphoreSlim oneAtATime = new(1, 1);
    ReceivedSnapshot? waiting;

    public async Task ReceiveAsync(NodeId from, PipeReader input, PipeWriter output, CancellationToken cancellationToken)
    {
        await oneAtATime.WaitAsync(cancellationToken);
        try
        {
            var term = new StrongBox<Term>();
            var received = await store.ReceiveAsync(PiecesAsync(input, term, cancellationToken), cancellationToken);
            Log.SnapshotReceived(logger, from.ToString(), received.Metadata.Index.Value);
            StoreMetrics.SnapshotsReceived.Add(1, new KeyValuePair<string, object?>("From", from.ToString()));
            await OfferAsync(received, from, term.Value);
            await ConfirmAsync(output, cancellationToken);
        }
        catch (Exception e)
        {
            StoreMetrics.SnapshotReceiveFailures.Add(1, new KeyValuePair<string, object?>("From", from.ToString()));
            if (e is not StorageException broken) throw;
            // The sender sees the connection end and tries again.
            Log.SnapshotNotReceived(logger, from.ToString(), broken.Message);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    /// <summary>The snapshot that the core has accepted; called in the turn in which it was.</summary>
    public ReceivedSnapshot Take(SnapshotMetadata accepted)
    {
        lock (gate)
        {
            Invariant.Require(waiting is not null && waiting.Metadata.Index == accepted.Index);
            var taken = waiting;
            waiting = null;
            return taken;
        }
    }

    async Task OfferAsync(ReceivedSnapshot received, NodeId from, Term term)
    {
        lock (gate) waiting = received;
        loop.Receive([new Message.InstallSnapshot(from, self, term, received.Metadata)]);
        // The first answer may come in the turn that takes the message in; with the second the effects of that turn have been carried out.
        await loop.AskAsync(_ => true);
        await loop.AskAsync(_ => true);
        lock (gate)
        {
            if (waiting != received) return;
            waiting = null;
        }
        received.Dispose();
    }

    static async IAsyncEnumerable<ReadOnlyMemory<byte>> PiecesAsync(
        PipeReader input, StrongBox<Term> term, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (type, payload) in PeerFrames.EnumerateAsync(input, cancellationToken))
        {
            switch (type)
            {
                case FrameType.SnapshotBegin:
                    term.Value = new(new PayloadReader(payload).Long());
                    break;
                case FrameType.SnapshotPiece:
                    yield return payload;
                    break;
                case FrameType.SnapshotEnd:
                    yield break;
                default:
                    throw new InvalidDataException($"unexpected frame {type}");
            }
        }
    }

    public void Dispose()
    {
        waiting?.Dispose();
        oneAtATime.Dispose();
    }

    static async Task ConfirmAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        var frame = new FrameBuffer();
        frame.BeginFrame(FrameType.SnapshotTaken);
        frame.EndFrame();
        output.Write(frame.Written);
        await output.FlushAsync(cancellationToken);
    }
}
