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
    /// <summary>Members whose state differs from the others' and is being rebuilt (design S13). Each has a CORRUPT alarm in its name, which stops nobody else.</summary>
    public ImmutableSortedSet<NodeId> Diverged { get; init; } = [];

    /// <summary>Where a downgrade under way goes, "3.6.0"; empty when there is none.</summary>
    public string DowngradeTarget { get; init; } = "";

    /// <summary>NOSPACE stands.</summary>
    public bool IsFull
    {
        get
        {
            foreach (var alarm in Alarms)
                if (alarm.Alarm == Protocol.Etcdserverpb.AlarmType.Nospace) return true;
            return false;
        }
    }

    /// <summary>A CORRUPT alarm that stops everybody, as etcd's do: raised by hand, or because nobody can tell who is right.</summary>
    public bool IsCorrupt
    {
        get
        {
            foreach (var alarm in Alarms)
                if (alarm.Alarm == Protocol.Etcdserverpb.AlarmType.Corrupt && !Diverged.Contains(new(alarm.MemberID))) return true;
            return false;
        }
    }

    public static readonly ClusterView Empty = new(ImmutableSortedDictionary<NodeId, ClusterMember>.Empty, [], [], "");
}
