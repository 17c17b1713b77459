using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Store.Protocol.Etcdserverpb;
using Store.State;

namespace Store.Server;

/// <summary>etcd's Watch service (contract 1.6).</summary>
public sealed class WatchService(
    WatchFeed feed, ReplicaLoop loop, MemberIdentity identity, ServerOptions options, LeaderLoss leaderLoss, IHostApplicationLifetime lifetime, TimeProvider time)
    : Watch.WatchBase
{
    public override async Task Watch(IAsyncStreamReader<WatchRequest> requestStream, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context)
    {
        var needsLeader = context.RequestHeaders.Any(entry => entry is { IsBinary: false, Key: "hasleader", Value: "true" });
        if (needsLeader && !leaderLoss.HasLeader) throw StatusMapping.ToException(StoreError.NoLeader);
        var leaderLost = needsLeader ? leaderLoss.Lost : CancellationToken.None;

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping, leaderLost);
        var output = new WatchOutput(context.GetHttpContext().Response.BodyWriter, identity, () => loop.Status.Term.Value, options.MessageBytesMax);
        using var session = new WatchSession(feed, output, time, options.WatchProgressInterval, WatchLimits.Default);
        var receiving = ReceiveAsync(session, requestStream, ended);
        try
        {
            await session.RunAsync(ended.Token);
        }
        catch (OperationCanceledException)
        {
            // A write was cut short: why is told below.
        }
        await ended.CancelAsync();
        await receiving;

        if (context.CancellationToken.IsCancellationRequested) throw StatusMapping.ToException(StoreError.WatchCanceled);
        if (lifetime.ApplicationStopping.IsCancellationRequested) throw StatusMapping.ToException(StoreError.Stopped);
        if (leaderLost.IsCancellationRequested) throw StatusMapping.ToException(StoreError.NoLeader);
    }

    /// <summary>A client that has closed its side may go on listening; one that breaks the protocol ends the stream with what was wrong.</summary>
    static async Task ReceiveAsync(WatchSession session, IAsyncStreamReader<WatchRequest> requests, CancellationTokenSource ended)
    {
        try
        {
            while (await requests.MoveNext(ended.Token)) await session.ReceiveAsync(requests.Current, ended.Token);
        }
        catch (Exception) when (ended.IsCancellationRequested)
        {
            // The stream has ended otherwise.
        }
        catch
        {
            await ended.CancelAsync();
            throw;
        }
    }
}
