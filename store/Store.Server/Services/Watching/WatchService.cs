using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Store.Protocol.Etcdserverpb;
using Store.State;

namespace Store.Server;

/// <summary>etcd's Watch service (contract 1.6).</summary>
public sealed class WatchService(
    WatchFeed feed, ReplicaLoop loop, AccessControl access, MemberIdentity identity, ServerOptions options, LeaderLoss leaderLoss, IHostApplicationLifetime lifetime, TimeProvider time)
    : Watch.WatchBase
{
    public override async Task Watch(IAsyncStreamReader<WatchRequest> requestStream, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context)
    {
        using var client = ClientStream.Open(context, loop, leaderLoss, lifetime);
        var output = new WatchOutput(context.GetHttpContext().Response.BodyWriter, identity, () => loop.Status.Term.Value, options.MessageBytesMax);
        using var session = new WatchSession(feed, output, time, options.WatchProgressInterval, WatchLimits.Default);
        var receiving = ReceiveAsync(session, requestStream, context, client);
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

    /// <summary>
    /// Asked with the range as the client sent it: "a" without an end is one key, "a" to a zero byte is all from there on (GHSA-xg4h-6gfc-h4m8 took the one for the
    /// other). Whoever may not do it hears so in the answer to this request; the stream goes on.
    /// </summary>
    async ValueTask<StoreError> WhyDeniedAsync(WatchRequest request, ServerCallContext context)
    {
        if (access.IsOff || request.CreateRequest is not { } create) return StoreError.None;
        var key = create.Key.IsEmpty ? ByteString.CopyFrom(0) : create.Key;
        return (await access.AdmitAsync(context.GetHttpContext(), RequiredAccess.Read(key, create.RangeEnd))).Error;
    }

    /// <summary>A client that has closed its side may go on listening; one that breaks the protocol ends the stream with what was wrong.</summary>
    async Task ReceiveAsync(WatchSession session, IAsyncStreamReader<WatchRequest> requests, ServerCallContext context, ClientStream client)
    {
        try
        {
            while (await requests.MoveNext(client.Ended))
                await session.ReceiveAsync(requests.Current, await WhyDeniedAsync(requests.Current, context), client.Ended);
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
