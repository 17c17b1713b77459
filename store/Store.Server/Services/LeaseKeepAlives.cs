using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Store.Protocol.Etcdserverpb;
using Store.State;

namespace Store.Server;

/// <summary>The stream of etcd's Lease service: each request renews one lease. A lease that is not there is answered with TTL 0, not with an error (contract 1.7).</summary>
public sealed class LeaseKeepAlives(ReplicaLoop loop, AccessControl access, MemberIdentity identity, LeaderLoss leaderLoss, IHostApplicationLifetime lifetime) : Lease.LeaseBase
{
    public override async Task LeaseKeepAlive(
        IAsyncStreamReader<LeaseKeepAliveRequest> requestStream, IServerStreamWriter<LeaseKeepAliveResponse> responseStream, ServerCallContext context)
    {
        using var client = ClientStream.Open(context, loop, leaderLoss, lifetime);
        try
        {
            while (await requestStream.MoveNext(client.Ended))
            {
                // For each request anew: what hangs on the lease, and what the caller may do, changes while the stream is open.
                await access.RequireAsync(context, RequiredAccess.WriteLease(new(requestStream.Current.ID)));
                await responseStream.WriteAsync(await RenewAsync(requestStream.Current, client.Ended), client.Ended);
            }
        }
        catch (Exception) when (client.Ended.IsCancellationRequested)
        {
            throw StatusMapping.ToException(client.WhyEnded ?? StoreError.RequestCanceled);
        }
    }

    async Task<LeaseKeepAliveResponse> RenewAsync(LeaseKeepAliveRequest request, CancellationToken cancellationToken)
    {
        // The header first: it must not tell a revision at which the lease may be gone already.
        var response = new LeaseKeepAliveResponse { Header = identity.Header(loop.View.Revision, loop.Status.Term), ID = request.ID };
        var renewal = await loop.RenewLeaseAsync(new(request.ID), cancellationToken);
        if (renewal.Error is not (StoreError.None or StoreError.LeaseNotFound)) throw StatusMapping.ToException(renewal.Error);
        response.TTL = renewal.Error == StoreError.None ? renewal.TtlSeconds : 0;
        return response;
    }
}
