using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>Which StatefulSet is given a new template, and when. Members whose set is of <see cref="Old"/> have a pod of it as well, unless a test says otherwise.</summary>
public sealed class TurnTests
{
    const string Old = "localhost/store:old";
    const string Bad = "localhost/store:bad";

    [Fact]
    public void A_wanted_change_reaches_the_template_of_the_next_member_and_then_its_pod()
    {
        var world = Serving(Old, Old, Old);
        Assert.Equal("orders-3", Given(world));
        Assert.Equal("orders-3-0", Restarted(world.Member(3, member => (member.SetImage, member.PodImage) = (null, Old))));
        // It is back, and serves.
        world.Member(3, member => (member.PodImage, member.ReadyFor) = (null, TimeSpan.FromMinutes(1)));
        Assert.Equal("orders-2", Given(world));
    }

    [Fact]
    public void The_leader_hands_over_before_it_is_given_its_template()
    {
        var world = Serving(Old, null, null);
        Assert.IsType<Step.MoveLeader>(world.Plan().Step);
        for (var number = 1; number <= 3; number++) world.Member(number, member => member.Leader = 2);
        Assert.Equal("orders-1", Given(world));
    }

    [Fact]
    public void Whoever_has_the_template_already_is_restarted_first()
    {
        // It was elected between its template and its restart.
        var world = Serving(Old, Old, Old).Member(3, member => (member.SetImage, member.PodImage) = (null, Old));
        for (var number = 1; number <= 3; number++) world.Member(number, member => member.Leader = 3);
        Assert.Equal(new MemberName("orders", 3), Assert.IsType<Step.MoveLeader>(world.Plan().Step).From);
        for (var number = 1; number <= 3; number++) world.Member(number, member => member.Leader = 1);
        Assert.Equal("orders-3-0", Restarted(world.Spec(spec => spec with { Update = spec.Update with { Order = UpdateSpec.ByNumber } })));
    }

    static readonly Dictionary<string, Action<MemberBuilder>> Goings = new()
    {
        ["it is gone"] = member => (member.HasPod, member.Answers) = (false, false),
        ["it ends"] = member => { member.Starting(); member.PodDeleting = true; },
        ["it starts"] = member => member.Starting(),
        ["no node has room"] = member => { member.Starting(); member.Scheduled = new V1PodCondition { Type = "PodScheduled", Status = "False" }; },
        ["it missed an answer"] = member => member.Answers = false,
        ["it serves"] = _ => { },
    };

    static readonly Dictionary<string, Action<MemberBuilder>> Failures = new()
    {
        ["its image cannot be pulled"] = member => { member.WaitsWith("ImagePullBackOff", "no"); member.PodAge = TimeSpan.FromMinutes(1); },
        ["it runs and does not serve in its time"] = member => { member.Starting(); member.Started = true; member.PodAge = TimeSpan.FromMinutes(10); },
    };

    public static MatrixTheoryData<string, string, bool> Gone => new(Failures.Keys, Goings.Keys, [true, false]);

    /// <summary>The third fails with what is wanted. Whatever becomes of the pod of the second, it comes back with what served.</summary>
    [Theory]
    [MemberData(nameof(Gone))]
    public void A_stopped_update_leaves_the_other_templates_as_they_were(string failure, string why, bool quorum)
    {
        var world = Serving(Old, Old, null).Member(2, Goings[why]).Member(3, Failures[failure]);
        if (!quorum) world.NoQuorum();
        Assert.Null(world.Plan().Step);
    }

    /// <summary>All pods were deleted at once.</summary>
    [Fact]
    public void A_stopped_update_leaves_them_even_when_no_pod_is_there() => Assert.Null(Pods(Serving(Old, Old, null).NoQuorum(), missing: [1, 2, 3]).Plan().Step);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_bad_template_that_is_taken_back_gives_way_to_what_served(bool quorum)
    {
        // What is wanted is what the first two run; of the second nobody knows anything without a quorum.
        var world = Serving(null, null, Bad).Member(3, member => member.WaitsWith("ImagePullBackOff", "no"));
        if (!quorum) world.NoQuorum().Member(1, member => member.Leader = 0).Member(2, member => (member.HasPod, member.Answers) = (false, false));
        Assert.Equal("orders-3", Given(world));
        Assert.Equal("orders-3-0", Restarted(world.Member(3, member => (member.SetImage, member.PodImage) = (null, Bad))));
    }

    [Fact]
    public void A_template_that_was_taken_back_before_its_pod_was_restarted_goes_at_once()
    {
        Assert.Equal("orders-3", Given(Serving(null, null, Bad).Member(3, member => member.PodImage = World.Image)));
        // Or something else is wanted by now: its pod would have come back with what nobody ever ran.
        Assert.Equal("orders-3", Given(Serving(Old, Old, Bad).Member(3, member => member.PodImage = Old).Member(1, member => member.Answers = false)));
    }

    [Fact]
    public void A_pod_that_cannot_be_made_from_its_template_needs_no_turn()
    {
        // A ServiceAccount that is not there, say. With or without Kubernetes' word for it.
        var world = Pods(Serving(null, null, Bad), missing: [3]);
        Assert.Equal("orders-3", Given(world));
        world = Pods(Serving(Old, Old, Old), missing: [1, 2, 3]).NoQuorum();
        for (var number = 1; number <= 3; number++) world.Complaint($"set-{number}", "FailedCreate", "serviceaccount \"nobody\" not found");
        Assert.Equal("orders-1", Given(world));
        Assert.Equal("orders-2", Given(world.Member(1, member => member.SetImage = null)));
    }

    [Fact]
    public void A_single_member_that_does_not_serve_needs_no_turn() =>
        Assert.Equal("orders-1", Given(new World().Formed(1).NoQuorum().Member(1, member => { member.SetImage = Bad; member.HasPod = false; member.Answers = false; })));

    /// <summary>It is of the wanted template as a whole, since a ticket is a part of it.</summary>
    [Fact]
    public void A_ticket_is_sealed_at_once()
    {
        var world = Serving(Old, Old, Old).Operation(Operations.Add, 3).Member(3, member => (member.Ticket, member.IsLearner) = (TicketKind.Join, true));
        var set = Assert.IsType<V1StatefulSet>(Assert.IsType<Step.Apply>(world.Plan().Step).Object);
        Assert.Equal(("orders-3", "sealed", World.Image), (set.Metadata.Name, set.Metadata.Annotations[Annotations.Ticket], set.Spec.Template.Spec.Containers[0].Image));
        Assert.Contains("--initial-cluster-state=existing", set.Spec.Template.Spec.Containers[0].Args);
        Assert.Equal("orders-1", Given(Serving(Old, Old, Old).Member(1, member => member.Ticket = TicketKind.Form).Member(2, member => member.Answers = false)));
    }

    [Fact]
    public void A_ticket_that_is_still_needed_changes_no_template() =>
        Assert.Null(Serving(Old, Old, Old).Operation(Operations.Add, 3).Member(3, member => { member.OnlyAdded(); (member.HasSet, member.Ticket) = (true, TicketKind.Join); member.HasPod = true; member.Starting(); }).Plan().Step);

    [Fact]
    public void A_StatefulSet_that_is_missing_is_made_as_it_is_wanted()
    {
        var world = Serving(Old, Old, Old).Member(2, member => (member.HasSet, member.Answers, member.HasPod) = (false, false, false));
        var set = Assert.IsType<V1StatefulSet>(Assert.IsType<Step.Apply>(world.Plan().Step).Object);
        Assert.Equal(("orders-2", World.Image), (set.Metadata.Name, set.Spec.Template.Spec.Containers[0].Image));
    }

    [Fact]
    public void What_needs_no_restart_is_changed_at_once()
    {
        var world = Serving(null, null, null).Member(2, member => member.Answers = false);
        Assert.Null(world.Plan().Step);
        Assert.Equal("orders-1", Given(world.Status(status => status with { Epoch = 2 }), view => view with { StatefulSets = new World().Formed(3).View().StatefulSets }));
    }

    [Fact]
    public void What_somebody_edited_stays()
    {
        var world = Serving(null, null, null);
        static ClusterView Edited(ClusterView view)
        {
            foreach (var set in view.StatefulSets) set.Spec.Template.Spec.Containers[0].Image = "localhost/store:by-hand";
            return view;
        }

        Assert.Null(Planner.Decide(Diagnosis.Of(Edited(world.View()))).Step);
    }

    [Fact]
    public void Pods_are_judged_by_what_is_wanted_and_not_by_their_template()
    {
        var diagnosis = Diagnosis.Of(Serving(Old, Old, null).View());
        Assert.Equal([true, true, false], diagnosis.Members.Select(member => member.Outdated));
        Assert.Equal("False", MembersUpdatedCondition.Judge(diagnosis).Status);
        Assert.False(RestartRules.Overdue(Diagnosis.Of(Serving(Old, Old, null).Member(1, member => { member.Starting(); member.PodAge = TimeSpan.FromHours(1); }).View()), diagnosis.Members[0]));
    }

    [Fact]
    public void While_the_spec_is_invalid_nobody_is_of_another_template()
    {
        var diagnosis = Diagnosis.Of(Serving(Old, Old, Old).Spec(spec => spec with { Replicas = 2 }).View());
        Assert.All(diagnosis.Members, member => Assert.False(member.Outdated));
        Assert.Equal(("Unknown", "InvalidSpec"), (MembersUpdatedCondition.Judge(diagnosis).Status, MembersUpdatedCondition.Judge(diagnosis).Reason));
    }

    /// <summary>Three members, each with StatefulSet and pod of an image; null is the wanted one.</summary>
    static World Serving(params string?[] images)
    {
        var world = new World().Formed(images.Length);
        for (var number = 1; number <= images.Length; number++)
        {
            var image = images[number - 1];
            world.Member(number, member => member.SetImage = image);
        }

        return world;
    }

    static World Pods(World world, params int[] missing)
    {
        foreach (var number in missing) world.Member(number, member => (member.HasPod, member.Answers) = (false, false));
        return world;
    }

    static string Given(World world, Func<ClusterView, ClusterView>? change = null) =>
        Assert.IsType<V1StatefulSet>(Assert.IsType<Step.Apply>(Planner.Decide(Diagnosis.Of(change is null ? world.View() : change(world.View()))).Step).Object).Metadata.Name;

    static string Restarted(World world) => Assert.IsType<Step.DeletePod>(world.Plan().Step).Pod;
}
