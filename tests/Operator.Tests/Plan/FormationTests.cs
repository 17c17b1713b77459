using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class FormationTests
{
    /// <summary>A StoreCluster was deleted and another one made of its name. The StatefulSets are gone, and the pods have some seconds left, in which they answer.</summary>
    [Fact]
    public void The_members_of_an_earlier_StoreCluster_are_not_taken_for_its_own()
    {
        var world = new World().Formed(3).Status(status => status with { ClusterId = null, FormedAt = null, MemberHighWater = null });
        Assert.IsType<Step.LatchFormed>(world.Plan().Step);
        foreach (var number in new[] { 1, 2, 3 }) world.Member(number, member => member.HasSet = false);
        var plan = world.Plan();
        Assert.Null(plan.Step);
        Assert.Equal(("Form", "PodStopping"), (Assert.Single(plan.Blocked).Rule, plan.Blocked[0].Reason));
    }

    [Fact]
    public void A_new_cluster_is_named_before_anything_else()
    {
        var plan = new World().NoServices().Plan();
        Assert.Equal(new Step.MintToken(null), plan.Step);
    }

    [Fact]
    public void A_lost_status_finds_its_token_again_on_a_StatefulSet()
    {
        var plan = new World().Formed(3).NoStatus().Plan();
        Assert.Equal(new Step.MintToken("token"), plan.Step);
    }

    [Theory]
    [InlineData(0, "orders-peers")]
    [InlineData(1, "orders")]
    public void Services_come_before_members(int existing, string next)
    {
        var world = new World().Named().NoServices();
        if (existing > 0) world.Service(PeerService.Build(world.Cluster()));
        Assert.Equal(next, Applied<V1Service>(world.Plan()).Metadata.Name);
    }

    [Fact]
    public void The_seeds_number_is_written_down_before_the_seed_is_made() =>
        Assert.Equal(new Step.StartOperation(Operations.Form, new MemberName("orders", 1)), new World().Named().Plan().Step);

    [Fact]
    public void The_seed_alone_may_form_a_cluster()
    {
        var set = Applied<V1StatefulSet>(new World().Named().Operation(Operations.Form, 1).Plan());
        Assert.Equal("orders-1", set.Metadata.Name);
        Assert.Contains("--initial-cluster-state=new", set.Spec.Template.Spec.Containers[0].Args);
        Assert.Contains("--initial-cluster-token=token", set.Spec.Template.Spec.Containers[0].Args);
        Assert.Contains("--initial-cluster=orders-1=http://orders-1-0.orders-peers.shop.svc:2380", set.Spec.Template.Spec.Containers[0].Args);
    }

    [Fact]
    public void Nobody_else_is_made_while_the_seed_starts()
    {
        var plan = Forming(seed => { seed.Starting(); seed.IsListed = false; }).Plan();
        Assert.Null(plan.Step);
        Assert.Equal("SeedStarting", Assert.Single(plan.Blocked).Reason);
    }

    [Fact]
    public void A_seed_that_answers_is_latched() => Assert.Equal(new Step.LatchFormed("cafe"), Forming(_ => { }).Plan().Step);

    [Fact]
    public void A_formed_cluster_seals_its_seed()
    {
        var set = Applied<V1StatefulSet>(new World().Formed(1).Member(1, seed => seed.Ticket = TicketKind.Form).Plan());
        Assert.Contains("--initial-cluster-state=existing", set.Spec.Template.Spec.Containers[0].Args);
        Assert.Equal("sealed", set.Metadata.Annotations[Annotations.Ticket]);
    }

    [Fact]
    public void Sealing_asks_for_no_restart() =>
        Assert.False(Diagnosis.Of(new World().Formed(1).Member(1, seed => seed.Ticket = TicketKind.Form).View()).Members[0].Outdated);

    [Fact]
    public void A_cluster_is_never_formed_again_when_members_of_it_exist_but_do_not_answer()
    {
        var plan = new World().Formed(3).NoStatus().Named().NoQuorum().Plan();
        Assert.Null(plan.Step);
        Assert.Equal("StatusLost", Assert.Single(plan.Blocked).Reason);
    }

    [Fact]
    public void A_lost_status_is_latched_again_from_members_that_answer() =>
        Assert.Equal(new Step.LatchFormed("cafe"), new World().Formed(3).NoStatus().Named().Plan().Step);

    [Fact]
    public void A_corrected_image_reaches_a_seed_that_could_not_be_pulled()
    {
        var world = Forming(seed =>
        {
            seed.WaitsWith("ImagePullBackOff", "no such image");
            seed.IsListed = false;
            seed.PodImage = "nowhere/store:1";
        });
        Assert.Equal("orders-1-0", Assert.IsType<Step.DeletePod>(world.Plan().Step).Pod);
    }

    [Fact]
    public void Volumes_left_of_an_earlier_cluster_are_never_taken_over() =>
        Assert.Equal(new Step.StartOperation(Operations.Form, new MemberName("orders", 5)), new World().Named().Claim("data-orders-4-0").Plan().Step);

    static World Forming(Action<MemberBuilder> seed) => new World().Named().Operation(Operations.Form, 1).Member(1, member =>
    {
        member.Ticket = TicketKind.Form;
        seed(member);
    });

    static T Applied<T>(Plan plan) => Assert.IsType<T>(Assert.IsType<Step.Apply>(plan.Step).Object);
}
