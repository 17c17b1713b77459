using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.Server;

/// <summary>
/// --force-new-cluster: what is left of a cluster that has lost its quorum for good becomes a cluster of one, by entries that remove everybody else, appended and
/// declared committed at the start.
/// </summary>
/// <remarks>
/// Cluster and member keep their ids, as in etcd: clients, monitoring and manifests go on. What keeps the old members out is that they count as removed: whoever of
/// them reaches this member is told so and ends, and its id never comes back. (A new cluster id would keep them from talking to us, but leave two of them
/// serving the same clients side by side.) The new term is above all that this member has seen.
///
/// Unlike etcd, entries that are not known to be committed are kept: some of them may have been acknowledged, since a member learns of a commit later than the client.
/// </remarks>
static class ForcedCluster
{
    /// <summary>What is to be written to the log; null when this member is alone already. Throws when it is no member.</summary>
    public static PersistRequest? Entries(RaftStart start, NodeId self)
    {
        var (voters, learners) = Members(start);
        if (!voters.Contains(self) && !learners.Contains(self))
            throw new BootException($"--force-new-cluster: {self} is not a member of the cluster that its data describe; start a member that is, or restore a snapshot");
        var changes = new List<ConfigChange>();
        if (learners.Contains(self)) changes.Add(Change(ConfigChangeKind.Promote, self));
        foreach (var other in voters.Union(learners).Where(id => id != self).Order()) changes.Add(Change(ConfigChangeKind.Remove, other));
        if (changes.Count == 0) return null;

        var last = start.Entries is [.., var entry] ? entry.Index : start.Snapshot.Index;
        var term = new Term(start.HardState.Term.Value + 1);
        var entries = changes.Select((change, i) => new Entry(term, new(last.Value + (ulong)i + 1), EntryKind.ConfigChange, change.Encode())).ToArray();
        return new(0, new HardState(term, NodeId.None, entries[^1].Index), entries, null);
    }

    public static RaftStart Append(RaftStart start, PersistRequest forced) =>
        start with { HardState = forced.HardState!.Value, Entries = [.. start.Entries, .. forced.Entries] };

    /// <summary>With the changes that stand in the log behind the state.</summary>
    static (HashSet<NodeId> Voters, HashSet<NodeId> Learners) Members(RaftStart start)
    {
        var config = start.Config ?? start.Snapshot.Config;
        var (voters, learners) = (config.Voters.ToHashSet(), config.Learners.ToHashSet());
        foreach (var entry in start.Entries.Where(entry => entry.Index > start.Applied && entry.Kind == EntryKind.ConfigChange))
        {
            var change = ConfigChange.Decode(entry.Data);
            if (change.Kind == ConfigChangeKind.Update) continue;
            voters.Remove(change.Node);
            learners.Remove(change.Node);
            if (change.Kind == ConfigChangeKind.AddLearner) learners.Add(change.Node);
            else if (change.Kind != ConfigChangeKind.Remove) voters.Add(change.Node);
        }
        return (voters, learners);
    }

    static ConfigChange Change(ConfigChangeKind kind, NodeId id) =>
        new(kind, id, new MemberChange { Member = new Member { ID = id.Value } }.ToByteArray());
}
