using System.Buffers;
using System.Collections.Immutable;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>
/// The receiving end of the peer port. A connection that opens with the peer protocol's magic is served here, frame by frame, directly on Kestrel's pipe; any other is
/// left in place for Kestrel's HTTP/1.1 (GET /members, /version, /health).
/// <para>
/// Not gRPC as first designed: one hop and most of the CPU of a message went into HTTP/2 framing and protobuf, which nobody but members themselves would
/// ever read.
/// </para>
/// </summary>
sealed class PeerServer(PeerNetwork network, ILogger logger)
{
    static readonly TimeSpan IntroductionTimeMax = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    readonly HashSet<(NodeId From, PeerChannel Channel, string Reason)> refusalsLogged = [];
    readonly Dictionary<ConnectionContext, NodeId> accepted = [];
    ImmutableSortedSet<NodeId> removedSeen = [];

    /// <summary>Set before the port opens.</summary>
    public Action<IReadOnlyList<Message>> Received { get; set; } = _ => { };

    public PeerQuestions? Questions { get; set; }

    public SnapshotInbox? Snapshots { get; set; }

    /// <summary>Put in front of the port's HTTP.</summary>
    public void Use(ListenOptions listen) => listen.Use(next => connection => ServeAsync(connection, next));

    /// <summary>Connections of members that were removed in the meantime are closed: they come again and are told.</summary>
    public void CloseRemoved(ClusterView cluster)
    {
        if (ReferenceEquals(cluster.Removed, removedSeen)) return;
        removedSeen = cluster.Removed;
        lock (gate)
        {
            foreach (var (connection, from) in accepted)
            {
                if (cluster.Removed.Contains(from)) _ = AbortLaterAsync(connection);
            }
        }
    }

    /// <summary>The removed member may still have to hear that its removal is committed.</summary>
    async Task AbortLaterAsync(ConnectionContext connection)
    {
        await Task.Delay(TimeSpan.FromSeconds(1), network.Time);
        connection.Abort();
    }

    async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (!await SpeaksPeerProtocolAsync(connection))
        {
            await next(connection);
            return;
        }
        try
        {
            await IntroduceAsync(connection);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or OperationCanceledException or ObjectDisposedException or ConnectionAbortedException)
        {
            Log.PeerLost(logger, connection.RemoteEndPoint?.ToString() ?? "", e.Message);
        }
        finally
        {
            lock (gate) accepted.Remove(connection);
        }
    }

    /// <summary>Looks at the first bytes and leaves them where they are.</summary>
    static async Task<bool> SpeaksPeerProtocolAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        using var limit = new CancellationTokenSource(IntroductionTimeMax);
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(limit.Token);
                var buffer = read.Buffer;
                var enough = buffer.Length >= PeerHandshake.PrefixBytes;
                var matches = Matches(buffer);
                input.AdvanceTo(buffer.Start, matches && !enough ? buffer.End : buffer.Start);
                if (enough || !matches || read.IsCompleted) return enough && matches;
            }
        }
        catch (OperationCanceledException)
        {
            connection.Abort();
            return false;
        }
    }

    static bool Matches(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> start = stackalloc byte[PeerHandshake.Magic.Length];
        var count = (int)Math.Min(buffer.Length, start.Length);
        buffer.Slice(0, count).CopyTo(start);
        return PeerHandshake.Magic.StartsWith(start[..count]);
    }

    async Task IntroduceAsync(ConnectionContext connection)
    {
        var (input, output) = (connection.Transport.Input, connection.Transport.Output);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        limit.CancelAfter(IntroductionTimeMax);
        var prefix = await input.ReadAtLeastAsync(PeerHandshake.PrefixBytes, limit.Token);
        var version = prefix.Buffer.Slice(PeerHandshake.Magic.Length).FirstSpan[0];
        input.AdvanceTo(prefix.Buffer.GetPosition(PeerHandshake.PrefixBytes));
        var hello = await PeerHandshake.ReceiveAsync(input.AsStream(leaveOpen: true), limit.Token);
        var refusal = version == PeerHandshake.Version ? Judge(hello) : PeerRefusal.UnsupportedVersion;
        await PeerHandshake.AnswerAsync(output.AsStream(leaveOpen: true), new(refusal, network.ClusterId, network.Self), limit.Token);
        if (refusal != PeerRefusal.Welcome)
        {
            TurnAway(hello, refusal);
            return;
        }
        limit.CancelAfter(Timeout.InfiniteTimeSpan);
        lock (gate) accepted[connection] = hello.From;
        // A member that this one does not know yet, because its log is behind: the way to answer it is in its introduction.
        network.Know(hello.From, hello.PeerUrls);
        await ServeAsync(hello, input, output, connection.ConnectionClosed);
    }

    Task ServeAsync(PeerHandshake hello, PipeReader input, PipeWriter output, CancellationToken closed) => hello.Channel switch
    {
        PeerChannel.Messages => new PeerInbox(network, hello.From, output, Received).RunAsync(input, closed),
        PeerChannel.Requests when Questions is { } questions => questions.ServeAsync(input, output, closed),
        PeerChannel.Snapshot when Snapshots is { } snapshots => snapshots.ReceiveAsync(hello.From, input, output, closed),
        _ => Task.CompletedTask,
    };

    PeerRefusal Judge(PeerHandshake hello)
    {
        if (hello.ClusterId != network.ClusterId) return PeerRefusal.ClusterIdMismatch;
        if (hello.To != network.Self) return PeerRefusal.UnknownMember;
        return network.Cluster.Removed.Contains(hello.From) ? PeerRefusal.RemovedMember : PeerRefusal.Welcome;
    }

    void TurnAway(PeerHandshake hello, PeerRefusal refusal)
    {
        var reason = refusal switch
        {
            PeerRefusal.ClusterIdMismatch => $"cluster ID mismatch: it belongs to cluster {hello.ClusterId:x}, this member to {network.ClusterId:x}",
            PeerRefusal.UnknownMember => $"unknown member: it looks for {hello.To}, this is {network.Self}",
            PeerRefusal.RemovedMember => "removed member",
            _ => "it speaks another version of the peer protocol",
        };
        lock (gate)
        {
            // Strangers can make up ids: the memory of whom was told what is bounded.
            if (refusalsLogged.Count > 1_000) refusalsLogged.Clear();
            if (!refusalsLogged.Add((hello.From, hello.Channel, reason))) return;
        }
        Log.PeerTurnedAway(logger, hello.From.ToString(), reason);
    }
}

/// <summary>One member's messages coming in: decoded on the connection's thread, handed to the loop in batches as they came over the wire.</summary>
sealed class PeerInbox(PeerNetwork network, NodeId from, PipeWriter output, Action<IReadOnlyList<Message>> received)
{
    readonly FrameBuffer pong = new();
    readonly KeyValuePair<string, object?> tag = new("From", from.ToString());
    List<Message> batch = [];
    long bytes;

    public Task RunAsync(PipeReader input, CancellationToken cancellationToken) =>
        PeerFrames.ReadAsync(input, Take, HandOver, cancellationToken);

    bool Take(FrameType type, ReadOnlyMemory<byte> payload)
    {
        bytes += payload.Length + FrameBuffer.HeaderBytes + 1;
        if (type == FrameType.Ping)
        {
            pong.BeginFrame(FrameType.Pong);
            pong.WriteLong(new PayloadReader(payload).Long());
            pong.EndFrame();
        }
        else if (MessageCodec.Read(type, payload, from, network.Self) is { } message)
        {
            batch.Add(message);
        }
        return true;
    }

    void HandOver()
    {
        if (batch.Count > 0)
        {
            received(batch);
            batch = [];
        }
        if (pong.Count > 0)
        {
            output.Write(pong.Written);
            pong.Clear();
            // Not awaited: a few bytes a second, and a peer that does not read them is found dead by its own pings.
            _ = output.FlushAsync().AsTask();
        }
        StoreMetrics.PeerReceivedBytes.Add(bytes, tag);
        bytes = 0;
    }
}
