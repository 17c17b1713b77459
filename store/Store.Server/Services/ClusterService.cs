using System.Security.Cryptography;
using Google.Protobuf.Collections;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>etcdserverpb.Cluster (contract 1.8). What may change when is decided by the replica; here requests become changes and views become answers.</summary>
sealed class ClusterService(MemberIdentity identity, ReplicaLoop loop)
{
    public IEnumerable<UnaryMethod> Methods =>
    [
        UnaryMethod.Of("Cluster", "MemberList", MemberListRequest.Parser, ListAsync),
        UnaryMethod.Of("Cluster", "MemberAdd", MemberAddRequest.Parser, AddAsync),
        UnaryMethod.Of("Cluster", "MemberRemove", MemberRemoveRequest.Parser, RemoveAsync),
        UnaryMethod.Of("Cluster", "MemberUpdate", MemberUpdateRequest.Parser, UpdateAsync),
        UnaryMethod.Of("Cluster", "MemberPromote", MemberPromoteRequest.Parser, PromoteAsync),
    ];

    async ValueTask<Answer> ListAsync(MemberListRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        if (request.Linearizable && await loop.ReadIndexAsync(caller.Aborted) is not StoreError.None and var error) return error;
        var response = new MemberListResponse { Header = Header() };
        AddMembers(response.Members);
        return Answer.Of(response);
    }

    async ValueTask<Answer> AddAsync(MemberAddRequest request, Caller caller)
    {
        if (!AreUrls(request.PeerURLs)) return StoreError.MemberBadUrls;
        var member = new Member { ID = NewId(loop.View.Cluster).Value, IsLearner = request.IsLearner, PeerURLs = { request.PeerURLs.Order(StringComparer.Ordinal) } };
        var error = await ChangeAsync(request.IsLearner ? ConfigChangeKind.AddLearner : ConfigChangeKind.AddVoter, member, caller);
        if (error != StoreError.None) return error;
        var response = new MemberAddResponse { Header = Header(), Member = member };
        AddMembers(response.Members);
        return Answer.Of(response);
    }

    async ValueTask<Answer> RemoveAsync(MemberRemoveRequest request, Caller caller)
    {
        var error = await ChangeAsync(ConfigChangeKind.Remove, new() { ID = request.ID }, caller);
        if (error != StoreError.None) return error;
        var response = new MemberRemoveResponse { Header = Header() };
        AddMembers(response.Members);
        return Answer.Of(response);
    }

    async ValueTask<Answer> UpdateAsync(MemberUpdateRequest request, Caller caller)
    {
        if (!AreUrls(request.PeerURLs)) return StoreError.MemberBadUrls;
        if (!loop.View.Cluster.Members.TryGetValue(new(request.ID), out var old)) return StoreError.MemberNotFound;
        // Everything but the addresses stays: an update that forgot IsLearner would make the learner a voter.
        var member = MemberResponses.Of(old);
        member.PeerURLs.Clear();
        member.PeerURLs.Add(request.PeerURLs.Order(StringComparer.Ordinal));
        var error = await ChangeAsync(ConfigChangeKind.Update, member, caller);
        if (error != StoreError.None) return error;
        var response = new MemberUpdateResponse { Header = Header() };
        AddMembers(response.Members);
        return Answer.Of(response);
    }

    async ValueTask<Answer> PromoteAsync(MemberPromoteRequest request, Caller caller)
    {
        var error = await ChangeAsync(ConfigChangeKind.Promote, new() { ID = request.ID }, caller);
        if (error != StoreError.None) return error;
        StoreMetrics.LearnerPromotions.Add();
        var response = new MemberPromoteResponse { Header = Header() };
        AddMembers(response.Members);
        return Answer.Of(response);
    }

    async ValueTask<StoreError> ChangeAsync(ConfigChangeKind kind, Member member, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        var reply = await loop.ChangeMembershipAsync(kind, new MemberChange { Member = member }, caller.Aborted);
        return reply.Error != StoreError.None ? reply.Error : reply.Result?.Error ?? StoreError.None;
    }

    /// <summary>Without a revision, as etcd leaves it.</summary>
    ResponseHeader Header() => identity.Header(default, loop.Status.Term);

    void AddMembers(RepeatedField<Member> members) => members.Add(MemberResponses.All(loop.View.Cluster));

    static bool AreUrls(RepeatedField<string> urls) =>
        urls.Count > 0 && urls.All(url => Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.AbsolutePath == "/" && uri.Host.Length > 0);

    /// <summary>Any number that no member has or had.</summary>
    static NodeId NewId(ClusterView cluster)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        while (true)
        {
            RandomNumberGenerator.Fill(bytes);
            var id = new NodeId(BitConverter.ToUInt64(bytes));
            if (!id.IsNone && !cluster.Members.ContainsKey(id) && !cluster.Removed.Contains(id)) return id;
        }
    }
}
