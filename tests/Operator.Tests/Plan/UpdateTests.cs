using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class UpdateTests
{
    const string Old = "localhost/store:old";

    [Fact]
    public void The_next_member_waits_until_the_last_has_soaked() => Blocked("Soaking", Outdated(1, 2).Member(3, member => member.ReadyFor = TimeSpan.FromSeconds(4)));

    [Fact]
    public void After_the_soak_the_next_member_follows() =>
        Assert.Equal("orders-2-0", Restarted(Outdated(1, 2).Member(3, member => member.ReadyFor = TimeSpan.FromSeconds(5))));

    [Fact]
    public void By_number_the_oldest_comes_first_and_hands_over_when_it_leads()
    {
        static StoreClusterSpec ByNumber(StoreClusterSpec spec) => spec with { Update = spec.Update with { Order = UpdateSpec.ByNumber } };
        Assert.IsType<Step.MoveLeader>(Outdated(1, 2, 3).Spec(ByNumber).Plan().Step);
        var world = Outdated(1, 2, 3).Spec(ByNumber);
        for (var number = 1; number <= 3; number++) world.Member(number, member => member.Leader = 3);
        Assert.Equal("orders-1-0", Restarted(world));
    }

    [Fact]
    public void A_member_that_does_not_come_back_stops_the_update() =>
        Blocked("UpdateFailed", Outdated(1, 2).Member(3, member => Stuck(member, seconds: 600)));

    [Fact]
    public void Until_its_time_is_up_it_is_waited_for() => Blocked("MemberNotReady", Outdated(1, 2).Member(3, member => Stuck(member, seconds: 599)));

    [Fact]
    public void It_is_restarted_once_more_where_the_spec_says_so() => Assert.Equal("orders-3-0", Restarted(Outdated(1, 2)
        .Spec(spec => spec with { Update = spec.Update with { OnFailure = UpdateSpec.Retry } }).Member(3, member => Stuck(member, seconds: 600))));

    [Fact]
    public void A_larger_volume_is_asked_for_last_of_all()
    {
        var world = Claims("8Gi", "8Gi");
        Assert.Equal(new Step.ResizeClaim("data-orders-1-0", new Quantity("16Gi")), world.Plan().Step);
        Assert.IsType<Step.DeletePod>(world.Member(3, member => member.PodImage = Old).Plan().Step);
    }

    [Fact]
    public void A_volume_that_grows_is_waited_for() => Blocked("VolumeResizing", Claims("16Gi", "8Gi"));

    [Fact]
    public void A_volume_that_has_grown_is_no_news() => Assert.Empty(Claims("16Gi", "16Gi").Plan().Blocked);

    static World Claims(string asked, string capacity)
    {
        var world = new World().Formed(3).Spec(spec => spec with { Storage = spec.Storage with { Size = new Quantity("16Gi") } });
        for (var number = 1; number <= 3; number++) world.Member(number, member => (member.ClaimSize, member.ClaimCapacity) = (asked, capacity));
        return world;
    }

    static void Stuck(MemberBuilder member, int seconds)
    {
        member.WaitsWith("CrashLoopBackOff", "exit 1");
        member.PodAge = TimeSpan.FromSeconds(seconds);
    }

    static World Outdated(params int[] members)
    {
        var world = new World().Formed(3);
        foreach (var number in members) world.Member(number, member => member.PodImage = Old);
        return world;
    }

    static string Restarted(World world) => Assert.IsType<Step.DeletePod>(world.Plan().Step).Pod;

    static void Blocked(string reason, World world)
    {
        var plan = world.Plan();
        Assert.Null(plan.Step);
        Assert.Contains(plan.Blocked, blocked => blocked.Reason == reason && blocked.Message!.Length > 10);
    }
}
