using Store.Raft;
using Xunit;

namespace Store.State.Tests;

public sealed class StateComparisonTests
{
    static readonly NodeId One = new(1), Two = new(2), Three = new(3), Learner = new(9);

    [Fact]
    public void Whoever_differs_from_a_majority_has_diverged() => Assert.Equal("diverged 3, agreed 1 2", Judge(Voters(1, 2, 3), (One, 7), (Two, 7), (Three, 9)));

    [Fact]
    public void The_leader_has_no_more_say_than_others() => Assert.Equal("diverged 1, agreed 2 3", Judge(Voters(1, 2, 3), (One, 9), (Two, 7), (Three, 7)));

    [Fact]
    public void A_majority_is_enough_to_judge() => Assert.Equal("diverged , agreed 1 2", Judge(Voters(1, 2, 3), (One, 7), (Two, 7)));

    [Fact]
    public void Two_of_three_that_differ_wait_for_the_third() => Assert.Equal("diverged , agreed ", Judge(Voters(1, 2, 3), (One, 7), (Two, 9)));

    [Fact]
    public void Of_two_voters_nobody_can_tell_who_is_right() => Assert.Equal("undecidable", Judge(Voters(1, 2), (One, 7), (Two, 9)));

    [Fact]
    public void A_learner_is_judged_but_does_not_count() =>
        Assert.Equal("diverged 9, agreed 1", Judge(Voters(1) with { Learners = [Learner] }, (One, 7), (Learner, 8)));

    static MembershipConfig Voters(params ulong[] ids) => MembershipConfig.Of(ids.Select(id => new NodeId(id)));

    static string Judge(MembershipConfig config, params (NodeId Member, ulong Hash)[] told)
    {
        var comparison = new StateComparison(new(5));
        foreach (var (member, hash) in told) comparison.Tell(member, hash);
        var verdict = comparison.Judge(config);
        return verdict.Undecidable ? "undecidable" : $"diverged {string.Join(' ', verdict.Diverged.Select(id => id.Value))}, agreed {string.Join(' ', verdict.Agreed.Select(id => id.Value))}";
    }
}
