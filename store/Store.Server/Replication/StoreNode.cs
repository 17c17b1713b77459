using Microsoft.Extensions.Logging;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;
using Store.Storage;

namespace Store.Server;

/// <summary>Why a member ended by itself.</summary>
/// <param name="Message">One line that says what happened and what to do.</param>
public sealed record NodeEnd(int ExitCode, string Message);

/// <summary>
/// One member without its client side: data directory, log, state, consensus and peers, started and stopped together. The caller serves clients in
/// front of <see cref="Loop"/>, awaits <see cref="Ended"/> beside its own signals, and exits with what it says.
/// </summary>
public sealed class StoreNode : IAsyncDisposable
{
    static readonly TimeSpan PublishPause = TimeSpan.FromSeconds(1);

    readonly ServerOptions options;
    readonly TimeProvider time;
    readonly ILogger logger;
    readonly BootedStorage storage;
    readonly PeerTls tls;
    readonly LogWriter writer;
    readonly EngineFlusher flusher;
    readonly PeerNetwork network;
    readonly PeerServer server;
    readonly SnapshotOutbox snapshotOutbox;
    readonly SnapshotInbox snapshotInbox;
    readonly CancellationTokenSource stopping = new();
    readonly TaskCompletionSource<NodeEnd> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    PeerPort? port;
    Task background = Task.CompletedTask;
    RocksEngine engine;
    int disposed;

    StoreNode(ServerOptions options, BootedStorage storage, PeerTls tls, TimeProvider time, ILogger logger)
    {
        (this.options, this.storage, this.tls, this.time, this.logger) = (options, storage, tls, time, logger);
        Identity = new(storage.ClusterId, storage.Self, options.Name);
        engine = storage.Engine;
        writer = new(storage.Log, sequence => Loop!.Persisted(sequence), Fail);
        flusher = new(engine, storage.State.Applied, time, index => Loop!.Post(replica => replica.EngineFlushed(index)), Fail);
        network = new(storage.ClusterId, storage.Self, options.InitialAdvertisePeerUrls, tls.Dialing, time, logger);
        var replica = new Replica(NodeOptions.Replica(options, storage.Self), storage.Start, storage.State, new Random());
        Loop = new(replica, writer, network, NodeOptions.Loop(options), time, logger);
        server = new(network, logger) { Received = Loop.Receive, Questions = new(Loop) };
        snapshotOutbox = new(network, CreateSnapshot, () => Loop.Status.Term, ReportSnapshot, logger);
        snapshotInbox = new(storage.Data.Snapshots, Loop, storage.Self, logger);
        server.Snapshots = snapshotInbox;
        Wire();
    }

    public MemberIdentity Identity { get; }

    public ReplicaLoop Loop { get; }

    /// <summary>Bytes of the state on disk.</summary>
    public EngineSize EngineSize => Volatile.Read(ref engine).Size;

    /// <summary>Completes only when the member cannot go on: it was removed, or something failed that must not be survived.</summary>
    public Task<NodeEnd> Ended => ended.Task;

    /// <summary>
    /// Starts from what is on disk, or as the flags say when there is nothing. Throws <see cref="BootException"/> or <see cref="StorageException"/> with
    /// one clear line. On return peers are served; a leader may not be there yet.
    /// </summary>
    public static async Task<StoreNode> StartAsync(ServerOptions options, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var tls = PeerTls.Open(options, time, logger);
        var storage = await BootedStorage.OpenAsync(options, tls.Dialing, time, logger, cancellationToken);
        var node = new StoreNode(options, storage, tls, time, logger);
        try
        {
            await node.RunAsync(cancellationToken);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    void Wire()
    {
        network.Unreachable = id => Loop.Post(replica => replica.ReportUnreachable(id));
        network.ToldRemoved = () => End(Removal);
        Loop.Applied = Follow;
        Loop.SendSnapshot = id => snapshotOutbox.Send(id, stopping.Token);
        Loop.InstallSnapshot = accepted =>
        {
            // Taken here, on the loop's thread: the inbox throws away what was not taken by the next turn.
            var received = snapshotInbox.Take(accepted);
            _ = Task.Run(() => Install(received), CancellationToken.None);
        };
        Loop.Removed = () => End(Removal);
        Loop.Failed = Fail;
    }

    async Task RunAsync(CancellationToken cancellationToken)
    {
        // Who a member that joins for the first time must reach stands in nobody's log yet but the others'.
        foreach (var member in storage.KnownMembers.Where(member => member.Id != storage.Self)) network.Know(member.Id, member.PeerUrls);
        network.Follow(storage.State.View.Cluster);
        port = await PeerPort.OpenAsync(options, tls.Listening, server, storage.ClusterId, Loop, logger, cancellationToken);
        writer.Start();
        flusher.Start();
        Loop.Start();
        background = Task.WhenAll(PublishAttributesAsync(), new ContentChecks(options.Integrity, Loop, time).RunAsync(stopping.Token));
    }

    void Follow(StateView view)
    {
        flusher.Applied(view);
        server.CloseRemoved(view.Cluster);
    }

    /// <summary>Tells the cluster this member's name, addresses and version, until the log has them.</summary>
    async Task PublishAttributesAsync()
    {
        try
        {
            while (!IsPublished())
            {
                var attributes = new MemberAttributes { MemberId = storage.Self.Value, Name = options.Name, Version = ServerVersion.Cluster };
                attributes.ClientUrls.AddRange(options.AdvertiseClientUrls);
                var reply = await Loop.ProposeAsync(new() { MemberAttributes = attributes }, stopping.Token);
                if (reply.Error == StoreError.Stopped) return;
                if (reply.Error == StoreError.None && IsPublished()) Log.AttributesPublished(logger, storage.Self.ToString());
                else await Task.Delay(PublishPause, time, stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    bool IsPublished() =>
        Loop.View.Cluster.Members.TryGetValue(storage.Self, out var self)
        && string.Equals(self.Name, options.Name, StringComparison.Ordinal)
        && string.Equals(self.Version, ServerVersion.Cluster, StringComparison.Ordinal)
        && self.ClientUrls.SequenceEqual(options.AdvertiseClientUrls, StringComparer.Ordinal);

    OutgoingSnapshot CreateSnapshot() => storage.Data.Snapshots.Create(Volatile.Read(ref engine), StateMachine.PointOf);

    void ReportSnapshot(NodeId to, LogIndex index, bool delivered) => Loop.Post(replica => replica.ReportSnapshot(to, index, delivered));

    /// <summary>The core has restarted its log behind the snapshot: the state follows. Until it has, nothing is applied.</summary>
    void Install(ReceivedSnapshot received)
    {
        try
        {
            using var installing = received;
            StoreMetrics.SnapshotsApplying.Set(1);
            var (started, metadata) = (time.GetTimestamp(), received.Metadata);
            var installed = storage.Data.Snapshots.Install(received, engine, NodeOptions.Rocks());
            Volatile.Write(ref engine, installed);
            flusher.Replace(installed, metadata.Index);
            Loop.Restored(StateMachine.Open(installed, NodeOptions.State(options)));
            StoreMetrics.SnapshotsApplying.Set(0);
            Log.SnapshotInstalled(logger, metadata.Index.Value, (long)time.GetElapsedTime(started).TotalMilliseconds);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    static NodeEnd Removal => new(1, "the member has been permanently removed from the cluster; its data directory is of no further use: remove it, and add the member anew to bring it back");

    /// <summary>A broken invariant or a disk that fails: going on would spread the damage.</summary>
    void Fail(Exception exception)
    {
        if (stopping.IsCancellationRequested) return;
        End(new(1, exception is StorageException or InvariantException ? exception.Message : exception.ToString()));
    }

    void End(NodeEnd end)
    {
        if (ended.TrySetResult(end)) Log.Fatal(logger, end.Message);
    }

    /// <summary>Stops in the order in which things depend on each other; everything queued for the log is written first.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        await stopping.CancelAsync();
        await background;
        Loop.Dispose();
        if (port is not null) await port.DisposeAsync();
        await network.DisposeAsync();
        writer.Dispose();
        flusher.Dispose();
        snapshotInbox.Dispose();
        storage.Log.Dispose();
        Volatile.Read(ref engine).Dispose();
        storage.Data.Dispose();
        stopping.Dispose();
    }
}
