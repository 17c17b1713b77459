using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class RestartTests
{
    const string Old = "localhost/store:old";

    [Fact]
    public void A_broken_pod_of_an_old_template_is_restarted_first() =>
        Assert.Equal("orders-2-0", Restarted(Outdated(1, 2, 3).Member(2, member => member.WaitsWith("ImagePullBackOff", "no"))));

    [Fact]
    public void A_broken_pod_of_the_current_template_is_left_to_Kubernetes() =>
        Assert.Null(new World().Formed(3).Member(2, member => member.Starting()).Plan().Step);

    [Fact]
    public void A_pod_that_is_being_deleted_is_not_deleted_again() =>
        Assert.Null(Outdated(2).Member(2, member => { member.Starting(); member.PodDeleting = true; }).Plan().Step);

    [Fact]
    public void Followers_are_restarted_before_the_leader() => Assert.Equal("orders-3-0", Restarted(Outdated(1, 2, 3)));

    [Fact]
    public void The_leader_hands_over_before_its_restart() =>
        Assert.Equal(new Step.MoveLeader(new MemberName("orders", 1), new MemberName("orders", 2), 2), Outdated(1).Plan().Step);

    [Fact]
    public void A_single_member_is_restarted_without_an_heir()
    {
        var world = new World().Formed(1).Member(1, member => member.PodImage = Old);
        Assert.Equal("orders-1-0", Restarted(world));
    }

    [Fact]
    public void A_bad_image_stops_at_the_first_member()
    {
        var plan = Outdated(1, 2).Member(3, member => member.WaitsWith("ErrImagePull", "no such image")).Plan();
        Assert.Null(plan.Step);
        Assert.Equal("MemberNotReady", Assert.Single(plan.Blocked).Reason);
    }

    [Fact]
    public void Nobody_is_restarted_while_the_membership_changes()
    {
        var plan = Outdated(1, 2, 3).Spec(spec => spec with { Replicas = 5 }).Operation(Operations.Add, 4).Member(4, member => { member.OnlyAdded(); member.HasSet = true; member.Ticket = TicketKind.Join; }).Plan();
        Assert.Null(plan.Step);
        Assert.Contains(plan.Blocked, blocked => blocked.Reason == "LearnerStarting");
    }

    static readonly Dictionary<string, Action<MemberBuilder>> Sick = new()
    {
        ["its image cannot be pulled"] = member => member.WaitsWith("ImagePullBackOff", "no"),
        ["it crashes again and again"] = member => member.WaitsWith("CrashLoopBackOff", "exit 1"),
        ["no node takes it"] = member => { member.Starting(); member.Scheduled = new V1PodCondition { Type = "PodScheduled", Status = "False" }; },
        ["it starts for too long"] = member => { member.Starting(); member.UnreadyFor = TimeSpan.FromMinutes(1); },
        ["it has run unready for too long"] = member => { member.Starting(); member.Started = true; member.UnreadyFor = TimeSpan.FromMinutes(1); },
        ["it starts"] = member => { member.Starting(); member.UnreadyFor = TimeSpan.FromSeconds(59); },
        ["it missed a readiness probe"] = member => { member.Starting(); member.Started = true; member.UnreadyFor = TimeSpan.FromSeconds(5); },
        ["it missed an answer to the operator"] = member => member.Answers = false,
        ["it elects"] = member => member.Leader = 0,
    };

    /// <summary>What ails a pod, and whether it is stuck by it.</summary>
    public static TheoryData<string, bool> Sickness => new()
    {
        { "its image cannot be pulled", true },
        { "it crashes again and again", true },
        { "no node takes it", true },
        { "it starts for too long", true },
        { "it has run unready for too long", true },
        { "it starts", false },
        { "it missed a readiness probe", false },
        { "it missed an answer to the operator", false },
        { "it elects", false },
    };

    [Theory]
    [MemberData(nameof(Sickness))]
    public void Only_a_pod_that_is_stuck_is_restarted_out_of_turn(string why, bool restarted)
    {
        var step = Outdated(1, 2, 3).Member(2, Sick[why]).Plan().Step;
        Assert.True(restarted == (step is Step.DeletePod { Pod: "orders-2-0" }), why);
        if (!restarted) Assert.Null(step);
    }

    [Theory]
    [MemberData(nameof(Sickness))]
    public void The_only_member_is_no_exception(string why, bool restarted)
    {
        var step = new World().Formed(1).NoQuorum().Member(1, member => { member.PodImage = Old; Sick[why](member); }).Plan().Step;
        Assert.True(restarted == (step is Step.DeletePod), why);
    }

    [Fact]
    public void An_election_costs_no_pod() =>
        Assert.Null(Outdated(1, 2, 3).NoQuorum().Member(1, m => m.Leader = 0).Member(2, m => m.Leader = 0).Member(3, m => m.Leader = 0).Plan().Step);

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_stuck_pod_that_still_votes_stays_while_the_others_are_no_quorum(bool thirdFails, bool restarted)
    {
        var world = Outdated(2).Member(2, member => { member.PodReady = false; member.Started = true; member.UnreadyFor = TimeSpan.FromHours(1); });
        if (thirdFails) world.Member(3, member => member.Answers = false);
        Assert.Equal(restarted, world.Plan().Step is Step.DeletePod);
    }

    /// <summary>One of three was replaced while an update was under way: two voters are left, each of which the quorum needs, until there are three again.</summary>
    [Fact]
    public void Of_two_voters_none_is_restarted_but_a_third_is_added()
    {
        var plan = new World().Formed(3).Spec(spec => spec).Member(1, member => member.PodImage = Old).Member(2, member => member.PodImage = Old)
            .Member(3, member => (member.HasSet, member.HasPod, member.HasClaim, member.IsListed, member.Answers) = (false, false, false, false, false)).Plan();
        Assert.Equal(Operations.Add, Assert.IsType<Step.StartOperation>(plan.Step).Kind);
        Assert.Contains(plan.Blocked, blocked => blocked is { Rule: "Roll", Reason: "QuorumAtRisk" });
    }

    /// <summary>It runs, and would serve if the others did. A template that has yet to start anywhere is no better than the one that it runs.</summary>
    [Fact]
    public void Without_a_quorum_a_running_member_is_not_given_a_template_that_fails_to_start()
    {
        World Lost(string why) => Outdated(2).NoQuorum()
            .Member(1, member => Sick[why](member))
            .Member(2, member => (member.PodReady, member.Started, member.Leader, member.UnreadyFor) = (false, true, 0, TimeSpan.FromMinutes(5)))
            .Member(3, member => Sick[why](member));
        Assert.Null(Lost("its image cannot be pulled").Plan().Step);
        Assert.Null(Lost("it crashes again and again").Plan().Step);
        Assert.Equal("orders-2-0", Restarted(Lost("it missed a readiness probe")));
    }

    [Fact]
    public void A_sick_member_holds_the_rollout_up_but_not_its_own_removal()
    {
        var plan = Outdated(1, 2).Spec(spec => spec with { Replicas = 1 }).Member(3, member => member.WaitsWith("ErrImagePull", "no such image")).Plan();
        Assert.Equal(new MemberName("orders", 3), Assert.IsType<Step.StartOperation>(plan.Step).Member);
        Assert.Equal("MemberNotReady", Assert.Single(plan.Blocked).Reason);
    }

    static World Outdated(params int[] members)
    {
        var world = new World().Formed(3);
        foreach (var number in members) world.Member(number, member => member.PodImage = Old);
        return world;
    }

    static string Restarted(World world) => Assert.IsType<Step.DeletePod>(world.Plan().Step).Pod;
}
