using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class SafetyTests
{
    [Fact]
    public void A_cluster_that_is_being_deleted_is_left_alone() => Halted("Deleting", new World().Formed(3).Deleting().Spec(spec => spec with { Replicas = 5 }));

    [Fact]
    public void A_paused_cluster_is_left_alone_whatever_fails() => Halted("Paused", new World().Formed(3)
        .Member(2, member => member.WaitsWith("ImagePullBackOff", "no such image")).Spec(spec => spec with { Paused = true, Replicas = 5 }));

    [Fact]
    public void A_budget_that_is_no_longer_wanted_goes() =>
        Assert.IsType<Step.DeleteBudget>(new World().Formed(3).Spec(spec => spec with { Disruption = new DisruptionSpec { Budget = false } }).Plan().Step);

    [Fact]
    public void The_deletion_policy_decides_over_the_retention_of_volumes() => Assert.IsType<Step.OwnClaim>(
        new World().Formed(3).Spec(spec => spec with { DeletionPolicy = RetentionSpec.Delete }).Plan().Step);

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void A_number_of_members_that_the_schema_refuses_is_refused_again(int replicas) =>
        Halted("InvalidSpec", new World().Formed(3).Spec(spec => spec with { Replicas = replicas }));

    [Theory]
    [InlineData("much")]
    [InlineData("1Gb")]
    [InlineData("-1Gi")]
    [InlineData("1.2.3Gi")]
    [InlineData("0")]
    public void A_size_that_is_none_is_refused(string size) =>
        Halted("InvalidSpec", new World().Spec(spec => spec with { Storage = spec.Storage with { Size = new Quantity(size) } }));

    [Theory]
    [InlineData("a.b")]
    [InlineData("orders-peers")]
    [InlineData("1orders")]
    [InlineData("a-name-that-is-longer-than-forty-characters")]
    public void A_name_that_makes_bad_names_is_refused(string name) => Halted("InvalidSpec", new World().Named(name));

    [Fact]
    public void Requests_above_limits_are_refused() => Halted("InvalidSpec", new World().Spec(spec => spec with
    {
        Resources = new ResourcesSpec
        {
            Requests = new Dictionary<string, Quantity> { ["memory"] = new("2Gi") },
            Limits = new Dictionary<string, Quantity> { ["memory"] = new("1Gi") },
        },
    }));

    [Theory]
    [InlineData("8Gi")]
    [InlineData("500M")]
    [InlineData("1e9")]
    [InlineData("1073741824")]
    [InlineData("1.5Gi")]
    public void Sizes_as_Kubernetes_writes_them_are_accepted(string size) =>
        Assert.Null(SpecValidation.Check(new World().Spec(spec => spec with { Storage = spec.Storage with { Size = new Quantity(size) } }).Cluster()));

    [Fact]
    public void Objects_of_an_earlier_cluster_of_this_name_have_to_go_first() =>
        Halted("NameTaken", new World().Named().Member(1, member => { member.SetOwner = "uid-0"; member.IsListed = false; member.Answers = false; }));

    [Fact]
    public void A_member_of_another_cluster_freezes_everything() =>
        Halted("ClusterIdConflict", new World().Formed(3).Member(2, member => member.ClusterId = "beef").Spec(spec => spec with { Replicas = 5 }));

    [Fact]
    public void A_volume_that_is_to_shrink_is_answered_and_never_applied()
    {
        var world = new World().Formed(3);
        var sets = world.View().StatefulSets;
        var view = world.Spec(spec => spec with { Storage = spec.Storage with { Size = new Quantity("4Gi") } }).View() with { StatefulSets = sets };
        var plan = Planner.Decide(Diagnosis.Of(view));
        Assert.Null(plan.Step);
        Assert.Equal("StorageUnchangeable", Assert.Single(plan.Blocked).Reason);
    }

    [Fact]
    public void The_same_size_in_other_words_is_no_change()
    {
        var world = new World().Formed(3);
        var sets = world.View().StatefulSets;
        var view = world.Spec(spec => spec with { Storage = spec.Storage with { Size = new Quantity("8192Mi") } }).View() with { StatefulSets = sets };
        Assert.Empty(Planner.Decide(Diagnosis.Of(view)).Blocked);
    }

    [Fact]
    public void Volumes_are_given_to_the_cluster_when_they_are_to_go_with_it() =>
        Assert.Equal(new Step.OwnClaim("data-orders-1-0", Owned: true), new World().Formed(3)
            .Spec(spec => spec with { Storage = spec.Storage with { Retention = new RetentionSpec { OnDelete = RetentionSpec.Delete } } }).Plan().Step);

    [Fact]
    public void Every_decline_and_halt_says_why_in_a_sentence()
    {
        var plans = new[] { new World().Formed(3).NoQuorum().Plan(), new World().Formed(3).Member(1, member => member.Starting()).Spec(spec => spec with { Replicas = 5 }).Plan() };
        Assert.All(plans.SelectMany(plan => plan.Blocked), blocked => Assert.True(blocked.Message!.Length > 10 && blocked.Rule.Length > 0));
    }

    static void Halted(string reason, World world)
    {
        var plan = world.Plan();
        Assert.Null(plan.Step);
        Assert.Equal(reason, Assert.Single(plan.Blocked).Reason);
    }
}
