using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Mvccpb;
using Store.Protocol.V3electionpb;
using Store.State;

namespace Store.Server;

/// <summary>The stream of the Election service: the leader now, whatever it proclaims, and whoever comes after it.</summary>
sealed class ElectionObservers(WaitingLine line, ReplicaLoop loop, MemberIdentity identity, LeaderLoss leaderLoss, IHostApplicationLifetime lifetime) : Election.ElectionBase
{
    public override async Task Observe(LeaderRequest request, IServerStreamWriter<LeaderResponse> responseStream, ServerCallContext context)
    {
        using var client = ClientStream.Open(context, loop, leaderLoss, lifetime);
        try
        {
            while (true)
            {
                var (response, refusal) = await line.DoAsync(WaitingLine.First(request.Name), new(context.GetHttpContext()));
                if (response is null) throw new RpcException(refusal!.Value.Status);
                var leader = response.Responses[0].ResponseRange.Kvs is [var first] ? first : await NextAsync(request.Name, response.Header.Revision + 1, client.Ended);
                // None after all (compaction overtook us): look again.
                if (leader is not null) await FollowAsync(leader, response.Header, responseStream, client.Ended);
            }
        }
        catch (OperationCanceledException) when (client.Ended.IsCancellationRequested)
        {
            throw StatusMapping.ToException(context.CancellationToken.IsCancellationRequested ? StoreError.RequestCanceled : client.WhyEnded ?? StoreError.RequestCanceled);
        }
    }

    /// <summary>Waits for somebody to stand in the empty line.</summary>
    async Task<KeyValue?> NextAsync(ByteString name, long start, CancellationToken cancellationToken)
    {
        using var watch = line.WatchLine(name, start);
        while (await watch.NextAsync(cancellationToken) is { } events)
        {
            if (events.FirstOrDefault(e => !e.IsDelete) is { } put) return KeyValue.Parser.ParseFrom(put.KeyValue.Span);
        }

        return null;
    }

    /// <summary>Tells the leader and what it proclaims, until its key is gone.</summary>
    async Task FollowAsync(KeyValue leader, ResponseHeader header, IServerStreamWriter<LeaderResponse> responses, CancellationToken cancellationToken)
    {
        var seen = Math.Max(header.Revision, leader.ModRevision);
        await responses.WriteAsync(new() { Header = HeaderAt(seen), Kv = leader }, cancellationToken);
        using var watch = line.WatchKey(leader.Key, seen + 1);
        while (await watch.NextAsync(cancellationToken) is { } events)
        {
            foreach (var change in events)
            {
                if (change.IsDelete) return;
                var proclaimed = KeyValue.Parser.ParseFrom(change.KeyValue.Span);
                await responses.WriteAsync(new() { Header = HeaderAt(proclaimed.ModRevision), Kv = proclaimed }, cancellationToken);
            }
        }
    }

    ResponseHeader HeaderAt(long revision) => identity.Header(new(revision), loop.Status.Term);
}
