using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class MembershipTests
{
    static MemberName Orders(int number) => new("orders", number);

    [Fact]
    public void A_steady_cluster_wants_nothing()
    {
        var plan = new World().Formed(3).Plan();
        Assert.Null(plan.Step);
        Assert.Empty(plan.Blocked);
        Assert.Equal(Plan.Steady, plan.Rule);
    }

    [Fact]
    public void Scaling_out_writes_the_new_number_down_first() =>
        Assert.Equal(new Step.StartOperation(Operations.Add, Orders(2)), Grown(1, 3).Plan().Step);

    [Fact]
    public void Numbers_are_not_reused_after_a_removal() =>
        Assert.Equal(Orders(8), Assert.IsType<Step.StartOperation>(Grown(1, 3).Status(status => status with { MemberHighWater = 7 }).Plan().Step).Member);

    [Fact]
    public void A_new_member_is_first_a_learner() =>
        Assert.Equal(new Step.AddLearner(Orders(2), "http://orders-2-0.orders-peers.shop.svc:2380"), Joining().Plan().Step);

    [Fact]
    public void A_learner_that_was_added_gets_its_pod_with_everybodys_address()
    {
        var set = Assert.IsType<V1StatefulSet>(Assert.IsType<Step.Apply>(Joining().Member(2, learner => learner.OnlyAdded()).Plan().Step).Object);
        var arguments = set.Spec.Template.Spec.Containers[0].Args;
        Assert.Contains("--initial-cluster-state=existing", arguments);
        Assert.Contains("--initial-cluster=orders-1=http://orders-1-0.orders-peers.shop.svc:2380,orders-2=http://orders-2-0.orders-peers.shop.svc:2380", arguments);
    }

    [Fact]
    public void A_learner_that_starts_is_waited_for() => Blocked("LearnerStarting", Joining().Member(2, Learner(starting: true)));

    [Fact]
    public void A_learner_that_is_behind_is_waited_for() =>
        Blocked("LearnerCatchingUp", Joining().Member(1, leader => leader.Applied = 90_000).Member(2, Learner()));

    [Fact]
    public void A_learner_that_has_caught_up_is_promoted() => Assert.Equal(new Step.Promote(Orders(2), 2), Joining().Member(2, Learner()).Plan().Step);

    [Fact]
    public void A_learner_that_was_promoted_ends_the_operation() => Assert.IsType<Step.FinishOperation>(Joining().Member(2).Plan().Step);

    [Fact]
    public void A_wish_taken_back_removes_the_learner() =>
        Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(2)),
            Joining().Spec(spec => spec with { Replicas = 1 }).Member(2, Learner(starting: true)).Plan().Step);

    [Fact]
    public void Nobody_is_added_while_a_voter_does_not_serve() =>
        Blocked("VoterNotReady", new World().Formed(3).Spec(spec => spec with { Replicas = 5 }).Member(3, member => member.Starting()));

    [Fact]
    public void Nobody_is_added_while_another_change_is_pending() =>
        Blocked("ChangePending", Joining().Operation(Operations.Add, 3).Member(2, Learner(starting: true)));

    [Fact]
    public void Nothing_is_changed_without_a_quorum() =>
        Blocked("NoQuorum", Grown(3, 5).NoQuorum().Member(1, member => member.Starting()).Member(2, member => member.Starting()));

    [Fact]
    public void A_member_of_unknown_origin_stops_scaling() =>
        Assert.Equal("ForeignMember", Assert.Single(Foreign().Blocked).Reason);

    [Fact]
    public void Scaling_in_takes_the_youngest_follower() =>
        Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(2)), Shrunk(leader: 3).Plan().Step);

    [Fact]
    public void Scaling_in_takes_a_sick_member_before_a_healthy_one() =>
        Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(1)), Shrunk(leader: 3).Member(1, member => member.Starting()).Plan().Step);

    [Fact]
    public void A_leader_hands_over_before_it_leaves() =>
        Assert.Equal(new Step.MoveLeader(Orders(3), Orders(1), 1), Shrunk(leader: 3).Operation(Operations.Remove, 3).Plan().Step);

    [Fact]
    public void A_follower_leaves_the_list_first() =>
        Assert.Equal(new Step.RemoveMember(Orders(2), 2), Shrunk(leader: 3).Operation(Operations.Remove, 2).Plan().Step);

    [Fact]
    public void A_member_that_the_quorum_needs_does_not_leave() =>
        Blocked("QuorumAtRisk", Shrunk(leader: 1).Operation(Operations.Remove, 3).Member(2, member => member.Starting()));

    [Fact]
    public void Then_its_StatefulSet_goes() =>
        Assert.Equal(new Step.DeleteStatefulSet(Orders(3), "set-3"), Left(_ => { }).Plan().Step);

    [Fact]
    public void Its_volume_stays_while_its_pod_does() =>
        Blocked("PodStopping", Left(member => member.HasSet = false));

    [Fact]
    public void Its_volume_goes_last() =>
        Assert.Equal(new Step.DeleteClaim(new MemberName("orders", 3), "data-orders-3-0", "claim-3"), Left(member => (member.HasSet, member.HasPod) = (false, false)).Plan().Step);

    [Fact]
    public void Its_volume_stays_when_that_is_wanted() =>
        Assert.IsType<Step.FinishOperation>(Left(member => (member.HasSet, member.HasPod) = (false, false))
            .Spec(spec => spec with { Storage = spec.Storage with { Retention = new RetentionSpec { OnScaleIn = RetentionSpec.Retain } } }).Plan().Step);

    [Fact]
    public void A_member_removed_by_hand_is_cleaned_up() =>
        Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(3)), new World().Formed(3).Member(3, member => member.IsListed = false).Plan().Step);

    [Fact]
    public void A_StatefulSet_deleted_by_hand_comes_back_sealed()
    {
        var plan = new World().Formed(3).Member(2, member => (member.HasSet, member.HasPod, member.Answers) = (false, false, false)).Plan();
        var set = Assert.IsType<V1StatefulSet>(Assert.IsType<Step.Apply>(plan.Step).Object);
        Assert.Equal(("orders-2", "sealed"), (set.Metadata.Name, set.Metadata.Annotations[Annotations.Ticket]));
    }

    static World Grown(int members, int wanted) => new World().Formed(members).Spec(spec => spec with { Replicas = wanted });

    static World Joining() => Grown(1, 3).Operation(Operations.Add, 2);

    static Action<MemberBuilder> Learner(bool starting = false) => learner =>
    {
        (learner.IsLearner, learner.Ticket) = (true, starting ? TicketKind.Join : TicketKind.Sealed);
        if (!starting) return;
        learner.Starting();
        learner.IsStarted = false;
    };

    static World Shrunk(int leader)
    {
        var world = new World().Formed(3).Spec(spec => spec with { Replicas = 1 });
        for (var number = 1; number <= 3; number++) world.Member(number, member => member.Leader = leader);
        return world;
    }

    static World Left(Action<MemberBuilder> change) => Shrunk(leader: 1).Operation(Operations.Remove, 3).Member(3, member =>
    {
        (member.IsListed, member.Answers) = (false, false);
        change(member);
    });

    static Plan Foreign()
    {
        var view = new World().Formed(3).View();
        var stranger = new ListedMember(null, 99, ["http://10.0.0.9:2380"], Learner: false, Started: true);
        return Planner.Decide(Diagnosis.Of(view with { Membership = view.Membership! with { Members = [.. view.Membership.Members, stranger] } }));
    }

    static void Blocked(string reason, World world)
    {
        var plan = world.Plan();
        Assert.Null(plan.Step);
        Assert.Contains(plan.Blocked, blocked => blocked.Reason == reason && blocked.Message!.Length > 10);
    }
}
