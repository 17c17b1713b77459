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
        using var client = ClientStream.Open(context, loop, leaderLoss, lifetime);
        var output = new WatchOutput(context.GetHttpContext().Response.BodyWriter, identity, () => loop.Status.Term.Value, options.MessageBytesMax);
        using var session = new WatchSession(feed, output, time, options.WatchProgressInterval, WatchLimits.Default);
        var receiving = ReceiveAsync(session, requestStream, client);
        try
        {
            await session.RunAsync(client.Ended);
        }
        catch (OperationCanceledException)
        {
            // A write was cut short: why is told below.
        }
        await client.EndAsync();
        await receiving;
        if (client.WhyEnded is { } why) throw StatusMapping.ToException(why);
    }

    /// <summary>A client that has closed its side may go on listening; one that breaks the protocol ends the stream with what was wrong.</summary>
    static async Task ReceiveAsync(WatchSession session, IAsyncStreamReader<WatchRequest> requests, ClientStream client)
    {
        try
        {
            while (await requests.MoveNext(client.Ended)) await session.ReceiveAsync(requests.Current, client.Ended);
        }
        catch (Exception) when (client.Ended.IsCancellationRequested)
        {
            // The stream has ended otherwise.
        }
        catch
        {
            await client.EndAsync();
            throw;
        }
    }
}
