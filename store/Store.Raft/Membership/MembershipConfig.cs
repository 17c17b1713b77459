using System.Collections.Immutable;

namespace Store.Raft;

/// <summary>Who votes and who only learns. Sorted, so that every walk over members tells the same story for the same seed.</summary>
public sealed record MembershipConfig(ImmutableSortedSet<NodeId> Voters, ImmutableSortedSet<NodeId> Learners)
{
    public static readonly MembershipConfig Empty = new([], []);

    public static MembershipConfig Of(params IEnumerable<NodeId> voters) => new([.. voters], []);

    public bool Contains(NodeId id) => Voters.Contains(id) || Learners.Contains(id);

    /// <summary>
    /// The configuration after the change. Applying a change again, or changes of members that are not there, changes nothing; so replaying a run of
    /// changes over its own result gives that result again.
    /// </summary>
    public MembershipConfig With(ConfigChange change)
    {
        var next = change.Kind switch
        {
            ConfigChangeKind.AddVoter => new(Voters.Add(change.Node), Learners.Remove(change.Node)),
            ConfigChangeKind.AddLearner => new(Voters.Remove(change.Node), Learners.Add(change.Node)),
            ConfigChangeKind.Promote when Learners.Contains(change.Node) => new(Voters.Add(change.Node), Learners.Remove(change.Node)),
            ConfigChangeKind.Remove => new(Voters.Remove(change.Node), Learners.Remove(change.Node)),
            _ => this,
        };
        // A cluster without voters could never change again.
        Invariant.Require(!next.Voters.IsEmpty || Voters.IsEmpty);
        return next;
    }

    public bool Equals(MembershipConfig? other) =>
        other is not null && Voters.SetEquals(other.Voters) && Learners.SetEquals(other.Learners);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var id in Voters) hash.Add(id);
        foreach (var id in Learners) hash.Add(id);
        return hash.ToHashCode();
    }

    public override string ToString() => $"voters [{string.Join(' ', Voters)}] learners [{string.Join(' ', Learners)}]";
}
