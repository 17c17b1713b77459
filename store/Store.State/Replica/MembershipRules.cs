using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.State;

/// <summary>
/// The checks of contract 1.8 on a change of membership before the leader proposes it. What depends on the log alone is checked again when the
/// change is applied; what depends on who is alive just now can only be checked here.
/// </summary>
static class MembershipRules
{
    /// <summary>A learner may vote once it holds this share of the leader's log.</summary>
    const double ReadyShare = 0.9;

    /// <param name="isHealthy">Connected and not silent; true for this member itself.</param>
    public static StoreError Check(
        ConfigChangeKind kind, MemberChange change, ClusterView cluster, RaftStatus raft, Func<NodeId, bool> isHealthy, ReplicaOptions options)
    {
        var id = new NodeId(change.Member.ID);
        return kind switch
        {
            ConfigChangeKind.AddVoter or ConfigChangeKind.AddLearner => CheckAdd(kind, id, change, cluster, isHealthy, options),
            ConfigChangeKind.Remove => CheckRemove(id, cluster, isHealthy, options),
            ConfigChangeKind.Promote => CheckPromote(id, cluster, raft, options),
            _ => CheckUpdate(id, change, cluster),
        };
    }

    static StoreError CheckAdd(
        ConfigChangeKind kind, NodeId id, MemberChange change, ClusterView cluster, Func<NodeId, bool> isHealthy, ReplicaOptions options)
    {
        if (cluster.Removed.Contains(id)) return StoreError.MemberNotFound;
        if (cluster.Members.ContainsKey(id)) return StoreError.MemberExists;
        if (change.Member.PeerURLs.Count == 0) return StoreError.MemberBadUrls;
        if (PeerUrlTaken(change, cluster, except: NodeId.None)) return StoreError.PeerUrlExists;
        if (kind == ConfigChangeKind.AddLearner)
        {
            return cluster.Members.Values.Count(member => member.IsLearner) >= options.LearnersMax ? StoreError.TooManyLearners : StoreError.None;
        }

        if (!options.StrictReconfigCheck) return StoreError.None;
        var voters = Voters(cluster);
        var started = voters.Count(IsStarted);
        // A lone started member may always grow to two: there is no other way out of one.
        if (!(voters.Count == 1 && started == 1) && started < Quorum(voters.Count + 1)) return StoreError.MemberNotEnoughStarted;
        // The newcomer counts as down until it has started.
        return voters.Count > 1 && voters.Count(voter => isHealthy(voter.Id)) < Quorum(voters.Count + 1) ? StoreError.UnhealthyCluster : StoreError.None;
    }

    static StoreError CheckRemove(NodeId id, ClusterView cluster, Func<NodeId, bool> isHealthy, ReplicaOptions options)
    {
        if (!cluster.Members.TryGetValue(id, out var member)) return StoreError.MemberNotFound;
        if (!options.StrictReconfigCheck || member.IsLearner) return StoreError.None;
        var others = Voters(cluster).Where(voter => voter.Id != id).ToList();
        if (others.Count == 0 || others.Count(IsStarted) < Quorum(others.Count)) return StoreError.MemberNotEnoughStarted;
        // A member that is down is no part of the quorum that works: taking it away harms nobody.
        if (!isHealthy(id)) return StoreError.None;
        return others.Count(voter => isHealthy(voter.Id)) < Quorum(others.Count) ? StoreError.UnhealthyCluster : StoreError.None;
    }

    static StoreError CheckPromote(NodeId id, ClusterView cluster, RaftStatus raft, ReplicaOptions options)
    {
        if (!cluster.Members.TryGetValue(id, out var member)) return StoreError.MemberNotFound;
        if (!member.IsLearner) return StoreError.MemberNotLearner;
        var progress = raft.Followers.FirstOrDefault(follower => follower.Id == id);
        if (progress is null || progress.Match.Value <= raft.LastIndex.Value * ReadyShare) return StoreError.LearnerNotReady;
        if (!options.StrictReconfigCheck) return StoreError.None;
        var voters = Voters(cluster);
        return voters.Count(IsStarted) + 1 < Quorum(voters.Count + 1) ? StoreError.MemberNotEnoughStarted : StoreError.None;
    }

    static StoreError CheckUpdate(NodeId id, MemberChange change, ClusterView cluster)
    {
        if (!cluster.Members.ContainsKey(id)) return StoreError.MemberNotFound;
        if (change.Member.PeerURLs.Count == 0) return StoreError.MemberBadUrls;
        return PeerUrlTaken(change, cluster, except: id) ? StoreError.PeerUrlExists : StoreError.None;
    }

    static bool PeerUrlTaken(MemberChange change, ClusterView cluster, NodeId except) =>
        cluster.Members.Values.Any(member => member.Id != except && member.PeerUrls.Any(change.Member.PeerURLs.Contains));

    static List<ClusterMember> Voters(ClusterView cluster) => [.. cluster.Members.Values.Where(member => !member.IsLearner)];

    static bool IsStarted(ClusterMember member) => member.Name.Length > 0;

    static int Quorum(int voters) => voters / 2 + 1;
}
