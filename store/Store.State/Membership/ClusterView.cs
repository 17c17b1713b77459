using System.Collections.Immutable;
using Store.Raft;

namespace Store.State;

/// <summary>A member as the log tells of it.</summary>
/// <param name="Name">Empty until the member has started and told its attributes.</param>
/// <param name="Version">The etcd version it can speak, "3.6.0"; empty until it has told.</param>
public sealed record ClusterMember(
    NodeId Id, string Name, ImmutableArray<string> PeerUrls, ImmutableArray<string> ClientUrls, bool IsLearner, string Version);

/// <summary>Members, removed members, alarms and versions at one moment. Part of every <see cref="StateView"/>.</summary>
/// <param name="Removed">Ids that may never come back.</param>
/// <param name="Alarms">Sorted by member and type.</param>
/// <param name="Version">The version all members agreed to, "3.6.0"; empty before.</param>
public sealed record ClusterView(
    ImmutableSortedDictionary<NodeId, ClusterMember> Members,
    ImmutableSortedSet<NodeId> Removed,
    ImmutableArray<Protocol.Etcdserverpb.AlarmMember> Alarms,
    string Version)
{
    public static readonly ClusterView Empty = new(ImmutableSortedDictionary<NodeId, ClusterMember>.Empty, [], [], "");
}
