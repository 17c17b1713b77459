namespace Store.Raft.Tests;

public sealed class QuorumTests
{
    [Theory]
    [InlineData(new ulong[] { }, 0)]
    [InlineData(new ulong[] { 4 }, 4)]
    [InlineData(new ulong[] { 4, 7 }, 4)]
    [InlineData(new ulong[] { 9, 5, 7 }, 7)]
    [InlineData(new ulong[] { 9, 0, 0 }, 0)]
    [InlineData(new ulong[] { 1, 2, 3, 4 }, 2)]
    [InlineData(new ulong[] { 5, 1, 4, 2, 3 }, 3)]
    public void A_majority_has_reached(ulong[] values, ulong reached) => Assert.Equal(reached, Quorum.Reached(values));

    [Theory]
    [InlineData(3, 2, 0, nameof(VoteOutcome.Won))]
    [InlineData(3, 1, 1, nameof(VoteOutcome.Pending))]
    [InlineData(3, 1, 2, nameof(VoteOutcome.Lost))]
    [InlineData(4, 2, 1, nameof(VoteOutcome.Pending))]
    [InlineData(4, 2, 2, nameof(VoteOutcome.Lost))]
    [InlineData(5, 3, 2, nameof(VoteOutcome.Won))]
    public void Votes_are_tallied(int voters, int granted, int refused, string outcome) =>
        Assert.Equal(outcome, Quorum.Tally(voters, granted, refused).ToString());
}
