using Store.Raft;

namespace Store.State;

/// <summary>
/// One comparison of all members at one point of the log: what each says its state hashes to, and who is wrong. The majority of the voters is right; one against one, nobody
/// can tell.
/// </summary>
/// <example>Three voters say 7, 7 and 9: the third has diverged. Two voters say 7 and 9: undecidable. One voter says 7 and a learner 9: the learner has.</example>
public sealed class StateComparison(LogIndex index)
{
    readonly SortedDictionary<NodeId, ulong> told = [];

    public LogIndex Index => index;

    /// <summary>Members that have told.</summary>
    public int Count => told.Count;

    public bool HasTold(NodeId member) => told.ContainsKey(member);

    public void Tell(NodeId member, ulong hash) => told[member] = hash;

    public StateVerdict Judge(MembershipConfig config)
    {
        var votes = config.Voters.Where(told.ContainsKey).GroupBy(voter => told[voter]).Select(group => (Hash: group.Key, Count: group.Count())).ToList();
        var majority = config.Voters.Count / 2 + 1;
        if (votes.FirstOrDefault(vote => vote.Count >= majority) is { Count: > 0 } right)
        {
            var present = told.Where(member => config.Contains(member.Key)).ToLookup(member => member.Value == right.Hash, member => member.Key);
            return new([.. present[false]], [.. present[true]], Undecidable: false);
        }

        return new([], [], Undecidable: votes.Sum(vote => vote.Count) == config.Voters.Count && votes.Count > 1);
    }
}

/// <param name="Undecidable">All voters have told, they differ, and no hash has a majority.</param>
public sealed record StateVerdict(IReadOnlyList<NodeId> Diverged, IReadOnlyList<NodeId> Agreed, bool Undecidable);
