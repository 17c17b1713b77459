using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class RestartTests
{
    private const string Old = "localhost/store:old";

    [Fact]
    public void A_new_image_reaches_the_templates_before_any_pod()
    {
        var step = new World().Formed(3).Member(1, member => member.SetImage = Old).Plan().Step;
        Assert.Equal("orders-1", Assert.IsType<Step.Apply>(step).Object.Metadata.Name);
    }

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

    private static World Outdated(params int[] members)
    {
        var world = new World().Formed(3);
        foreach (var number in members) world.Member(number, member => member.PodImage = Old);
        return world;
    }

    private static string Restarted(World world) => Assert.IsType<Step.DeletePod>(world.Plan().Step).Pod;
}
