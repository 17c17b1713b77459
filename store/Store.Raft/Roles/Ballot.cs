namespace Store.Raft;

/// <summary>The votes of one election. The first answer of each voter counts; answers of others never do.</summary>
sealed class Ballot
{
    readonly SortedDictionary<NodeId, bool> votes = [];

    public void Record(NodeId voter, bool granted) => votes.TryAdd(voter, granted);

    public VoteOutcome Outcome(MembershipConfig config)
    {
        var (granted, refused) = (0, 0);
        foreach (var (voter, vote) in votes)
        {
            if (!config.Voters.Contains(voter)) continue;
            if (vote) granted++;
            else refused++;
        }
        return Quorum.Tally(config.Voters.Count, granted, refused);
    }
}
