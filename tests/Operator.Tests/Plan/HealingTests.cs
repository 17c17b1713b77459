using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class HealingTests
{
    static MemberName Orders(int number) => new("orders", number);

    [Fact]
    public void A_member_that_lost_its_disk_is_removed_at_once() =>
        Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(2)), new World().Formed(3).Member(2, member => member.LosesItsDisk()).Plan().Step);

    [Fact]
    public void A_claim_that_lost_its_volume_is_a_lost_disk() => Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(2)),
        new World().Formed(3).Member(2, member => { member.Starting(); member.ClaimPhase = "Lost"; }).Plan().Step);

    [Fact]
    public void A_silent_node_is_waited_for() => Blocked("WaitingForReturn", new World().Formed(3).Member(3, member => member.LosesItsNode(seconds: 119)));

    [Fact]
    public void A_node_that_stays_silent_costs_the_member_its_place() =>
        Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(3)), new World().Formed(3).Member(3, member => member.LosesItsNode(seconds: 120)).Plan().Step);

    /// <summary>It started late, or takes long to read its log, and has been unready since its pod was made: a kubelet that says so lives.</summary>
    [Fact]
    public void A_member_that_its_kubelet_calls_unready_is_on_no_lost_node() => Assert.Null(new World().Formed(3)
        .Member(3, member => { member.Starting(); (member.Started, member.UnreadyFor) = (true, TimeSpan.FromHours(1)); }).Plan().Step);

    [Fact]
    public void A_pod_that_never_ends_is_on_a_lost_node() => Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(3)), new World().Formed(3)
        .Member(3, member => { member.Starting(); member.DeletingFor = TimeSpan.FromSeconds(121); }).Plan().Step);

    [Theory]
    [InlineData("0/3 nodes are available: 1 node(s) had taint {a: }, that the pod didn't tolerate, 2 node(s) had volume node affinity conflict.", true)]
    [InlineData("0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) had volume node affinity conflict.", false)]
    [InlineData("0/3 nodes are available: 3 Insufficient memory.", false)]
    public void A_volume_whose_node_is_gone_is_lost_and_one_whose_node_is_cordoned_is_not(string words, bool lost)
    {
        var plan = new World().Formed(3).Member(2, member =>
        {
            member.Starting();
            member.ClaimPhase = "Bound";
            member.Scheduled = new V1PodCondition { Type = "PodScheduled", Status = "False", Message = words, LastTransitionTime = World.Now.AddMinutes(-5) };
        }).Plan();
        Assert.Equal(lost, plan.Step is Step.StartOperation { Kind: Operations.Remove });
    }

    [Theory]
    [InlineData("ImagePullBackOff")]
    [InlineData("CrashLoopBackOff")]
    [InlineData("CreateContainerConfigError")]
    public void A_member_that_only_fails_is_never_replaced(string reason) =>
        Assert.Null(new World().Formed(3).Member(2, member => { member.WaitsWith(reason, "no"); member.UnreadyFor = TimeSpan.FromHours(5); }).Plan().Step);

    [Fact]
    public void A_member_that_answers_is_not_lost_whatever_Kubernetes_thinks() =>
        Assert.Null(new World().Formed(3).Member(2, member => { member.LosesItsNode(seconds: 9999); member.Answers = true; }).Plan().Step);

    [Fact]
    public void Healing_can_be_left_to_a_person() => Blocked("HealingDisabled", new World().Formed(3)
        .Spec(spec => spec with { Healing = new HealingSpec { Enabled = false } }).Member(2, member => member.LosesItsDisk()));

    [Fact]
    public void The_last_quorum_is_not_touched() => Blocked("QuorumAtRisk", new World().Formed(5)
        .Member(2, member => member.LosesItsDisk()).Member(3, member => member.WaitsWith("CrashLoopBackOff", "no")).Member(4, member => member.WaitsWith("CrashLoopBackOff", "no")));

    [Fact]
    public void Two_lost_members_go_one_after_the_other()
    {
        var world = new World().Formed(5).Member(2, member => member.LosesItsDisk()).Member(4, member => member.LosesItsDisk());
        Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(2)), world.Plan().Step);
        Assert.Equal(new Step.RemoveMember(Orders(2), 2), world.Operation(Operations.Remove, 2).Plan().Step);
    }

    [Fact]
    public void An_addition_that_has_not_begun_gives_way() => Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(2)),
        new World().Formed(3).Spec(spec => spec with { Replicas = 5 }).Member(2, member => member.LosesItsDisk()).Operation(Operations.Add, 4).Plan().Step);

    [Fact]
    public void A_learner_whose_node_is_lost_is_given_up() => Assert.Equal(new Step.StartOperation(Operations.Remove, Orders(4)),
        new World().Formed(3).Spec(spec => spec with { Replicas = 5 })
            .Member(4, member => { member.IsLearner = true; member.LosesItsNode(seconds: 300); }).Operation(Operations.Add, 4).Plan().Step);

    [Fact]
    public void A_learner_without_an_operation_is_taken_up_again() => Assert.Equal(new Step.StartOperation(Operations.Add, Orders(4)),
        new World().Formed(3).Spec(spec => spec with { Replicas = 5 }).Member(4, member => member.IsLearner = true).Plan().Step);

    /// <summary>A kubelet that has ended a pod deletes it once more without grace, which sets the time of its end back to when the deletion began. For a moment
    /// the pod is still seen like that, and a slow end then looks like one that is long overdue.</summary>
    [Fact]
    public void A_pod_that_its_kubelet_lets_go_is_not_lost()
    {
        World Deleted(long grace) => new World().Formed(3).Member(3, member => { member.Starting(); (member.DeletingFor, member.GraceSeconds) = (TimeSpan.FromSeconds(130), grace); });
        Assert.Null(Deleted(grace: 0).Plan().Step);
        Assert.IsType<Step.StartOperation>(Deleted(grace: 60).Plan().Step);
    }

    [Fact]
    public void The_pod_of_a_removed_member_on_a_dead_node_is_forgotten()
    {
        World Leaving(int seconds) => new World().Formed(3).Operation(Operations.Remove, 3)
            .Member(3, member => { member.Starting(); (member.IsListed, member.HasSet, member.DeletingFor) = (false, false, TimeSpan.FromSeconds(seconds)); });
        Blocked("PodStopping", Leaving(seconds: 9));
        Assert.True(Assert.IsType<Step.DeletePod>(Leaving(seconds: 10).Plan().Step).Force);
    }

    [Fact]
    public void A_member_that_is_gone_is_named_in_status()
    {
        var diagnosis = Diagnosis.Of(new World().Formed(3).Member(3, member => member.LosesItsNode(seconds: 500)).View());
        var status = StatusReport.Build(diagnosis, Planner.Decide(diagnosis), error: null);
        Assert.Equal("NodeLost", status.Members!.Single(member => member.Name == "orders-3").Reason);
        Assert.Equal("NodeLost", status.Conditions!.Single(condition => condition.Type == "Ready").Reason);
    }

    static void Blocked(string reason, World world)
    {
        var plan = world.Plan();
        Assert.Null(plan.Step);
        Assert.Contains(plan.Blocked, blocked => blocked.Reason == reason && blocked.Message!.Length > 10);
    }
}
