using System.Collections.Immutable;
using Google.Protobuf;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>The members that a new cluster begins with, by etcd's rules: the same flags give the same ids and the same first entries on every member.</summary>
public static class InitialMembership
{
    /// <summary>Who this member is by the flags. Throws with one clear line when they contradict each other.</summary>
    public static (ulong ClusterId, NodeId Self, IReadOnlyList<ClusterMember> Members) Of(ServerOptions options)
    {
        var members = options.InitialCluster
            .Select(member => new ClusterMember(
                MemberIds.Member(member.PeerUrls, options.InitialClusterToken), member.Name, [.. member.PeerUrls.Order(StringComparer.Ordinal)], [], false, ""))
            .ToList();
        var self = members.Find(member => string.Equals(member.Name, options.Name, StringComparison.Ordinal))
            ?? throw new BootException($"couldn't find local name \"{options.Name}\" in the initial cluster configuration: add it to --initial-cluster, or set --name");
        if (!self.PeerUrls.SequenceEqual(options.InitialAdvertisePeerUrls.Order(StringComparer.Ordinal), StringComparer.Ordinal))
        {
            throw new BootException(
                $"--initial-cluster has {Join(self.PeerUrls, options.Name)} but missing from --initial-advertise-peer-urls={string.Join(',', options.InitialAdvertisePeerUrls)} (the two must name the same URLs)");
        }
        if (members.Select(member => member.Id).Distinct().Count() != members.Count)
            throw new BootException("--initial-cluster names the same peer URLs twice: every member needs its own");
        return (MemberIds.Cluster(members.Select(member => member.Id)), self.Id, [.. members.OrderBy(member => member.Id)]);
    }

    /// <summary>
    /// One change for each member at index 1..n of term 1, committed from the start, as etcd has them: members that join later learn of the first ones from the
    /// log like of any other.
    /// </summary>
    public static PersistRequest Entries(IReadOnlyList<ClusterMember> members)
    {
        var term = new Term(1);
        var entries = new Entry[members.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            var change = new MemberChange { Member = MemberResponses.Of(members[i]) };
            entries[i] = new(term, new((ulong)i + 1), EntryKind.ConfigChange, new ConfigChange(ConfigChangeKind.AddVoter, members[i].Id, change.ToByteArray()).Encode());
        }
        return new(0, new HardState(term, NodeId.None, new((ulong)entries.Length)), entries, null);
    }

    static string Join(ImmutableArray<string> urls, string name) => string.Join(',', urls.Select(url => $"{name}={url}"));
}

/// <summary>This member cannot start; the message is one line that says what is wrong and what to do.</summary>
public sealed class BootException(string message) : Exception(message);
