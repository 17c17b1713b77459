using Google.Protobuf;
using Store.Protocol.V3electionpb;

namespace Store.Server;

/// <summary>v3electionpb.Election but for its stream (contract 1.11): the leader is who stands first in line, its value what it proclaims.</summary>
sealed class ElectionService(WaitingLine line)
{
    const string NotLeader = "election: not leader";

    static Answer LeaderMissing => Answer.Refuse("\"leader\" field must be provided");

    public IEnumerable<UnaryMethod> Methods =>
    [
        UnaryMethod.At("/v3electionpb.Election/Campaign", CampaignRequest.Parser, CampaignAsync),
        UnaryMethod.At("/v3electionpb.Election/Proclaim", ProclaimRequest.Parser, ProclaimAsync),
        UnaryMethod.At("/v3electionpb.Election/Leader", LeaderRequest.Parser, LeaderAsync),
        UnaryMethod.At("/v3electionpb.Election/Resign", ResignRequest.Parser, ResignAsync),
    ];

    /// <summary>Answers once elected. Who campaigns again with its lease keeps its place, and proclaims the new value.</summary>
    async ValueTask<Answer> CampaignAsync(CampaignRequest request, Caller caller)
    {
        var (lease, noLease) = await line.LeaseAsync(request.Lease, caller);
        if (noLease is { } refused) return refused;
        var key = WaitingLine.Key(request.Name, lease);
        var (entered, refusal) = await line.IfCreatedAtAsync(key, 0, [WaitingLine.Put(key, request.Value, lease)], [WaitingLine.Get(key)], caller);
        if (entered is null) return refusal!.Value;
        var leader = new LeaderKey { Name = request.Name, Key = key, Rev = entered.Header.Revision, Lease = lease };
        if (!entered.Succeeded)
        {
            var own = entered.Responses[0].ResponseRange.Kvs[0];
            leader.Rev = own.CreateRevision;
            if (own.Value != request.Value && await ProclaimAsync(leader, request.Value, caller) is { Message: null } failed)
            {
                await LeaveAsync(leader, caller);
                return failed;
            }
        }

        var waited = false;
        try
        {
            if (await line.WaitAsync(request.Name, leader.Rev, caller) is { } problem) return problem;
            waited = true;
        }
        finally
        {
            if (!waited && caller.Aborted.IsCancellationRequested) await LeaveAsync(leader, caller);
        }

        return Answer.Of(new CampaignResponse { Header = entered.Header, Leader = leader });
    }

    async ValueTask<Answer> ProclaimAsync(ProclaimRequest request, Caller caller)
    {
        if (request.Leader is not { } leader) return LeaderMissing;
        var (lease, noLease) = await line.LeaseAsync(leader.Lease, caller);
        return noLease ?? await ProclaimAsync(new(leader) { Lease = lease }, request.Value, caller);
    }

    async ValueTask<Answer> LeaderAsync(LeaderRequest request, Caller caller)
    {
        var (response, refusal) = await line.DoAsync(WaitingLine.First(request.Name), caller);
        if (response is null) return refusal!.Value;
        if (response.Responses[0].ResponseRange.Kvs is not [var first]) return Answer.Refuse("election: no leader");
        return Answer.Of(new LeaderResponse { Header = response.Header, Kv = first });
    }

    /// <summary>Resigning twice, or from what somebody else now holds, is no error, as in etcd.</summary>
    async ValueTask<Answer> ResignAsync(ResignRequest request, Caller caller)
    {
        if (request.Leader is not { } leader) return LeaderMissing;
        var (response, refusal) = await LeaveAsync(leader, caller);
        return response is null ? refusal!.Value : Answer.Of(new ResignResponse { Header = response.Header });
    }

    async ValueTask<Answer> ProclaimAsync(LeaderKey leader, ByteString value, Caller caller)
    {
        var (response, refusal) = await line.IfCreatedAtAsync(leader.Key, leader.Rev, [WaitingLine.Put(leader.Key, value, leader.Lease)], [], caller);
        if (response is null) return refusal!.Value;
        return response.Succeeded ? Answer.Of(new ProclaimResponse { Header = response.Header }) : Answer.Refuse(NotLeader);
    }

    Task<Step<Protocol.Etcdserverpb.TxnResponse>> LeaveAsync(LeaderKey leader, Caller caller) =>
        line.IfCreatedAtAsync(leader.Key, leader.Rev, [WaitingLine.Delete(leader.Key)], [], caller);
}
