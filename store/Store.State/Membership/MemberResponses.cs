using System.Diagnostics;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Raft;

namespace Store.State;

/// <summary>etcd's messages about members.</summary>
public static class MemberResponses
{
    public static Member Of(ClusterMember member)
    {
        var message = new Member { ID = member.Id.Value, Name = member.Name, IsLearner = member.IsLearner };
        message.PeerURLs.AddRange(member.PeerUrls);
        message.ClientURLs.AddRange(member.ClientUrls);
        return message;
    }

    /// <summary>All members, by id.</summary>
    public static IEnumerable<Member> All(ClusterView cluster) => cluster.Members.Values.Select(Of);

    internal static IMessage For(ConfigChangeKind kind, NodeId id, ClusterView cluster)
    {
        switch (kind)
        {
            case ConfigChangeKind.AddVoter or ConfigChangeKind.AddLearner:
                return new MemberAddResponse { Header = new(), Member = Of(cluster.Members[id]), Members = { All(cluster) } };
            case ConfigChangeKind.Promote:
                return new MemberPromoteResponse { Header = new(), Members = { All(cluster) } };
            case ConfigChangeKind.Remove:
                return new MemberRemoveResponse { Header = new(), Members = { All(cluster) } };
            case ConfigChangeKind.Update:
                return new MemberUpdateResponse { Header = new(), Members = { All(cluster) } };
            default:
                throw new UnreachableException();
        }
    }
}
