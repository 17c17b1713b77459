using System.Security.Cryptography;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.State;

namespace Store.Server;

/// <summary>etcdserverpb.Lease but for its stream (contract 1.7): grants and revokes go through the log, the time left is the leader's to tell.</summary>
sealed class LeaseService(MemberIdentity identity, ReplicaLoop loop)
{
    public IEnumerable<UnaryMethod> Methods =>
    [
        UnaryMethod.Of("Lease", "LeaseGrant", LeaseGrantRequest.Parser, GrantAsync),
        UnaryMethod.Of("Lease", "LeaseRevoke", LeaseRevokeRequest.Parser, RevokeAsync),
        UnaryMethod.Of("Lease", "LeaseTimeToLive", LeaseTimeToLiveRequest.Parser, TimeToLiveAsync),
        UnaryMethod.Of("Lease", "LeaseLeases", LeaseLeasesRequest.Parser, ListAsync),
    ];

    public async ValueTask<Answer> GrantAsync(LeaseGrantRequest request, Caller caller)
    {
        // Chosen here and not at apply: every member must come to the same id.
        if (request.ID == 0) request.ID = NewId();
        return await ProposeAsync<LeaseGrantResponse>(new() { LeaseGrant = request }, caller, static response =>
        {
            StoreMetrics.LeasesGranted.Add();
            StoreMetrics.LeaseTtlSeconds.Record(response.TTL);
            return response.Header;
        });
    }

    ValueTask<Answer> RevokeAsync(LeaseRevokeRequest request, Caller caller) =>
        ProposeAsync<LeaseRevokeResponse>(new() { LeaseRevoke = request }, caller, static response =>
        {
            StoreMetrics.LeasesRevoked.Add();
            return response.Header;
        });

    async ValueTask<Answer> TimeToLiveAsync(LeaseTimeToLiveRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        var lease = await loop.LeaseTimeToLiveAsync(new(request.ID), caller.Aborted);
        var response = new LeaseTimeToLiveResponse { Header = Header(), ID = request.ID };
        switch (lease.Error)
        {
            case StoreError.None:
                response.GrantedTTL = lease.GrantedSeconds;
                response.TTL = lease.RemainingSeconds;
                if (request.Keys) response.Keys.Add(lease.Keys.Select(key => UnsafeByteOperations.UnsafeWrap(key)));
                return Answer.Of(response);
            case StoreError.LeaseNotFound:
                // Not an error to etcd's clients.
                response.TTL = -1;
                return Answer.Of(response);
            default:
                return lease.Error;
        }
    }

    /// <summary>As this member knows them. etcd sorts them by expiry at the leader; elsewhere nobody knows that, and they come by id.</summary>
    async ValueTask<Answer> ListAsync(LeaseLeasesRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        var ids = await loop.AskAsync(InOrderOfExpiry);
        var response = new LeaseLeasesResponse { Header = Header() };
        response.Leases.Add(ids.Select(id => new LeaseStatus { ID = id.Value }));
        return Answer.Of(response);
    }

    static LeaseId[] InOrderOfExpiry(Replica replica) =>
    [
        .. replica.State.Leases
            .Select(lease => (lease.Id, Left: replica.TimeToLive(lease.Id).RemainingSeconds))
            .OrderBy(lease => lease.Left).ThenBy(lease => lease.Id)
            .Select(lease => lease.Id),
    ];

    ValueTask<Answer> ProposeAsync<TResponse>(Command command, Caller caller, Func<TResponse, ResponseHeader> headerOf)
        where TResponse : class, IMessage
    {
        if (loop.IsLearner) return new(StoreError.NotSupportedForLearner);
        if (loop.IsCorrupt) return new(StoreError.CorruptCluster);
        return loop.ProposeAsync(command, caller, identity, headerOf);
    }

    ResponseHeader Header() => identity.Header(loop.View.Revision, loop.Status.Term);

    /// <summary>Positive, as etcd's own are: some clients print ids as signed numbers.</summary>
    static long NewId()
    {
        Span<byte> bytes = stackalloc byte[8];
        long id;
        do
        {
            RandomNumberGenerator.Fill(bytes);
            id = BitConverter.ToInt64(bytes) & long.MaxValue;
        }
        while (id == 0);
        return id;
    }
}
