using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>spec.update.onFailure: Rollback, step by step.</summary>
public sealed class RollbackTests
{
    const string Good = "localhost/store:good";
    const string Bad = "localhost/store:bad";

    [Fact]
    public void The_spec_from_which_all_serve_is_kept()
    {
        var update = Report(World(Good)).Update!;
        Assert.Equal(Good, update.StableImage);
        Assert.Contains("good", update.StableSpec, StringComparison.Ordinal);
        Assert.Null(update.Failed);
    }

    [Fact]
    public void What_no_pod_is_made_from_is_not_kept()
    {
        var (three, five) = (World(Good), World(Good).Spec(spec => spec with { Update = spec.Update with { SoakSeconds = 7 } }));
        Assert.Equal(Report(three).Update, Report(five).Update);
    }

    [Fact]
    public void Where_nobody_asked_for_it_nothing_is_kept() =>
        Assert.Null(Report(World(Good).Spec(spec => spec with { Update = spec.Update with { OnFailure = UpdateSpec.Pause } })).Update);

    [Fact]
    public void A_spec_that_does_not_serve_yet_is_not_taken_for_a_good_one() =>
        Assert.Equal(Good, Report(Failing(seconds: 10)).Update!.StableImage);

    [Fact]
    public void An_update_that_does_not_serve_in_time_is_rolled_back()
    {
        Assert.Null(Failing(seconds: 599).Plan().Step);
        var step = Assert.IsType<Step.RollBack>(Failing(seconds: 600).Plan().Step);
        Assert.Contains("orders-3 did not serve", step.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_member_and_a_single_one_are_rolled_back_as_well()
    {
        var world = Failing(seconds: 600);
        for (var number = 1; number <= 2; number++) world.Member(number, member => member.PodImage = Bad);
        Assert.IsType<Step.RollBack>(world.Plan().Step);
        Assert.IsType<Step.RollBack>(world.NoQuorum().Plan().Step);
    }

    [Fact]
    public void A_lost_node_is_no_failed_update() =>
        Assert.IsNotType<Step.RollBack>(Failing(seconds: 600).Member(3, member => { member.Container = null; member.LosesItsNode(seconds: 300); }).Plan().Step);

    [Fact]
    public void After_it_the_former_template_is_applied_and_the_stuck_pod_restarted()
    {
        var world = RolledBack();
        var set = Assert.IsType<k8s.Models.V1StatefulSet>(Assert.IsType<Step.Apply>(world.Plan().Step).Object);
        Assert.Equal(Good, set.Spec.Template.Spec.Containers[0].Image);
        for (var number = 1; number <= 3; number++) world.Member(number, member => member.SetImage = Good);
        Assert.Equal("orders-3-0", Assert.IsType<Step.DeletePod>(world.Member(3, member => member.PodImage = Bad).Plan().Step).Pod);
    }

    [Fact]
    public void When_all_serve_again_status_says_that_it_is_not_what_was_asked_for()
    {
        var world = RolledBack();
        for (var number = 1; number <= 3; number++)
        {
            world.Member(number, member => (member.SetImage, member.PodImage, member.PodReady, member.Answers, member.Container) = (Good, Good, true, true, null));
        }

        var status = Report(world);
        Assert.Equal("RolledBack", status.Phase);
        foreach (var type in new[] { "Ready", "MembersUpdated" })
        {
            var condition = status.Conditions!.Single(condition => condition.Type == type);
            Assert.Equal(("False", "RolledBack"), (condition.Status, condition.Reason));
            Assert.Contains("orders-3 did not serve", condition.Message, StringComparison.Ordinal);
        }

        Assert.Equal("RolledBack", Assert.Single(status.Blocked!).Reason);
        Assert.Null(world.Plan().Step);
    }

    [Fact]
    public void Another_spec_is_tried()
    {
        var world = RolledBack().Spec(spec => spec with { Image = spec.Image with { Tag = "better" } });
        for (var number = 1; number <= 3; number++) world.Member(number, member => (member.SetImage, member.PodImage) = (Good, number == 3 ? Bad : Good));
        Assert.Equal("localhost/store:better", Assert.IsType<k8s.Models.V1StatefulSet>(Assert.IsType<Step.Apply>(world.Plan().Step).Object).Spec.Template.Spec.Containers[0].Image);
        Assert.Null(Report(world).Update!.Failed);
    }

    /// <summary>Three members that serve from this image, rolling back by itself.</summary>
    static World World(string image) => Asking(new World().Formed(3), image);

    static World Asking(World world, string image) => world.Spec(spec => spec with
    {
        Update = spec.Update with { OnFailure = UpdateSpec.Rollback },
        Image = spec.Image with { Repository = "localhost/store", Tag = image.Split(':')[1] },
    });

    /// <summary>The third member runs the bad image for so long, and does not serve; the others have the good one.</summary>
    static World Failing(int seconds)
    {
        var stable = Report(World(Good)).Update;
        var world = World(Bad).Status(status => status with { Update = stable });
        for (var number = 1; number <= 2; number++) world.Member(number, member => member.PodImage = Good);
        return world.Member(3, member =>
        {
            member.WaitsWith("ImagePullBackOff", "no such image");
            member.PodAge = TimeSpan.FromSeconds(seconds);
        });
    }

    static World RolledBack()
    {
        var world = Failing(seconds: 600);
        var step = (Step.RollBack)world.Plan().Step!;
        return world.Status(status => step.Record(status, Operator.Tests.World.Now));
    }

    static StoreClusterStatus Report(World world)
    {
        var diagnosis = Diagnosis.Of(world.View());
        return StatusReport.Build(diagnosis, Planner.Decide(diagnosis), error: null);
    }
}
