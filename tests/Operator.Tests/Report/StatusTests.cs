using k8s;
using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class StatusTests
{
    [Fact]
    public void A_cluster_whose_new_image_is_in_no_template_yet_is_not_ready()
    {
        var world = new World().Formed(3).Spec(spec => spec with { Version = "9.9.9" });
        for (var number = 1; number <= 3; number++) world.Member(number, member => member.SetImage = World.Image);
        var ready = Of(Report(world), "Ready");
        Assert.Equal(("False", "Updating"), (ready.Status, ready.Reason));
    }

    [Fact]
    public void A_cluster_that_serves_is_ready_and_available()
    {
        var status = Report(new World().Formed(3));
        Assert.Equal(("True", "True", "Running"), (Of(status, "Ready").Status, Of(status, "Available").Status, status.Phase));
        Assert.Equal((3, 3, "orders-1", "3.6.0"), (status.ReadyMembers, status.Replicas, status.Leader, status.Version));
        Assert.All(status.Conditions!, condition => Assert.Equal(4, condition.ObservedGeneration));
    }

    [Fact]
    public void Why_an_image_cannot_be_pulled_is_kept_while_the_kubelet_only_waits()
    {
        var world = new World().Formed(3).Member(2, member => member.WaitsWith("ErrImagePull", "manifest unknown"));
        var first = Report(world);
        var second = Report(world.Status(_ => first).Member(2, member => member.WaitsWith("ImagePullBackOff", "back-off pulling image")));
        Assert.Contains("manifest unknown", second.Members!.Single(member => member.Name == "orders-2").Message, StringComparison.Ordinal);
        var third = Report(world.Status(_ => second).Member(2, member => member.WaitsWith("ErrImagePull", "unauthorized")));
        Assert.Contains("unauthorized", third.Members!.Single(member => member.Name == "orders-2").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_that_cannot_be_pulled_is_named()
    {
        var status = Report(new World().Formed(3).Member(2, member => member.WaitsWith("ImagePullBackOff", "not found")));
        var ready = Of(status, "Ready");
        Assert.Equal(("False", "ImagePullFailed"), (ready.Status, ready.Reason));
        Assert.Contains("localhost/store:dev", ready.Message, StringComparison.Ordinal);
        Assert.Equal("ImagePullFailed", status.Members!.Single(member => member.Name == "orders-2").Reason);
    }

    [Fact]
    public void A_crash_loop_says_how_the_store_ended()
    {
        var pod = new World().Formed(1).Member(1, member => member.WaitsWith("CrashLoopBackOff", "back-off")).View().Pods[0];
        pod.Status.ContainerStatuses[0].LastState = new V1ContainerState { Terminated = new V1ContainerStateTerminated { ExitCode = 3, Message = "data directory is locked" } };
        var health = PodVerdict.Of(pod, new MemberName("orders", 1));
        Assert.Equal((MemberState.Failed, "CrashLooping"), (health.State, health.Reason));
        Assert.Contains("exited with code 3", health.Message, StringComparison.Ordinal);
        Assert.Contains("data directory is locked", health.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_member_that_lost_its_disk_is_told_apart_from_one_that_crashes()
    {
        var pod = new World().Formed(1).Member(1, member => member.WaitsWith("CrashLoopBackOff", "back-off")).View().Pods[0];
        pod.Status.ContainerStatuses[0].LastState = new V1ContainerState
        {
            Terminated = new V1ContainerStateTerminated { ExitCode = 1, Message = "a line before\nstore: its disk is empty though it has been a member before: remove it" },
        };
        var health = PodVerdict.Of(pod, new MemberName("orders", 1));
        Assert.Equal((MemberState.Failed, PodVerdict.DiskLost), (health.State, health.Reason));
        Assert.Contains("member remove", health.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_volume_that_nobody_provides_is_named()
    {
        var status = Report(new World().Formed(3).Member(3, member =>
        {
            member.Starting();
            member.ClaimPhase = "Pending";
            member.Scheduled = new V1PodCondition { Type = "PodScheduled", Status = "False", Message = "pod has unbound immediate PersistentVolumeClaims" };
        }));
        Assert.Equal("VolumePending", status.Members!.Single(member => member.Name == "orders-3").Reason);
        Assert.Contains("StorageClass", Of(status, "Ready").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("memberID:1 alarm:NOSPACE ", "NoSpace")]
    [InlineData("memberID:1 alarm:CORRUPT ", "Corrupt")]
    public void An_alarm_is_said(string error, string reason)
    {
        var view = new World().Formed(3).View();
        var raised = view.Reports.ToDictionary(pair => pair.Key, pair => pair.Value with { Errors = [error] });
        var diagnosis = Diagnosis.Of(view with { Reports = raised });
        var storage = Of(StatusReport.Build(diagnosis, Planner.Decide(diagnosis), error: null), "StorageHealthy");
        Assert.Equal(("False", reason), (storage.Status, storage.Reason));
    }

    [Fact]
    public void Numbers_alone_are_news_only_every_half_minute()
    {
        var first = Report(new World().Formed(3));
        StoreClusterStatus After(int seconds) => Again(first, seconds, member => member with { DbBytes = 4096 });
        Assert.Equal(0, After(seconds: 29).Members![0].DbBytes);
        Assert.Equal(4096, After(seconds: 30).Members![0].DbBytes);
        Assert.Equal(KubernetesJson.Serialize(first), KubernetesJson.Serialize(Again(first, 300, member => member)));
    }

    static StoreClusterStatus Again(StoreClusterStatus before, int seconds, Func<MemberReport, MemberReport> change)
    {
        var view = new World().Formed(3).View();
        var diagnosis = Diagnosis.Of(view with
        {
            Cluster = view.Cluster with { Status = before },
            ObservedAt = World.Now.AddSeconds(seconds),
            Reports = view.Reports.ToDictionary(pair => pair.Key, pair => change(pair.Value)),
        });
        return StatusReport.Build(diagnosis, Planner.Decide(diagnosis), error: null);
    }

    [Fact]
    public void A_pod_without_a_node_says_why()
    {
        var status = Report(new World().Formed(3).Member(3, member =>
        {
            member.Starting();
            member.Scheduled = new V1PodCondition { Type = "PodScheduled", Status = "False", Message = "0/3 nodes are available" };
        }));
        Assert.Equal(("Starting", "Unschedulable"), status.Members!.Where(member => member.Name == "orders-3").Select(member => (member.State, member.Reason)).Single());
        Assert.Contains("0/3 nodes", Of(status, "Ready").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_member_down_is_degraded_and_still_available()
    {
        var status = Report(new World().Formed(3).Member(2, member => member.Starting()));
        Assert.Equal(("False", "True", "Degraded", 2), (Of(status, "Ready").Status, Of(status, "Available").Status, status.Phase, status.ReadyMembers));
    }

    [Fact]
    public void A_lost_quorum_is_not_available()
    {
        var status = Report(new World().Formed(3).NoQuorum().Member(1, member => member.Starting()).Member(2, member => member.Starting()));
        Assert.Equal(("False", "Unavailable"), (Of(status, "Available").Status, status.Phase));
    }

    [Fact]
    public void Members_that_nobody_can_ask_are_unknown_and_not_well()
    {
        var world = new World().Formed(3).NoQuorum();
        for (var number = 1; number <= 3; number++) world.Member(number, member => member.Answers = false);
        Assert.Equal("Unknown", Of(Report(world), "Available").Status);
    }

    [Fact]
    public void A_pod_that_the_kubelet_calls_ready_but_that_is_silent_is_not_ready()
    {
        var status = Report(new World().Formed(3).Member(2, member => member.Answers = false));
        Assert.Equal(("NotReady", "Unreachable"), status.Members!.Where(member => member.Name == "orders-2").Select(member => (member.State, member.Reason)).Single());
    }

    [Fact]
    public void An_invalid_spec_is_said_with_its_field()
    {
        var status = Report(new World().Formed(3).Spec(spec => spec with { Replicas = 4 }));
        Assert.Equal(("False", "InvalidSpec", "Invalid"), (Of(status, "Reconciled").Status, Of(status, "Ready").Reason, status.Phase));
        Assert.Contains("spec.replicas", Of(status, "Reconciled").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_that_failed_is_said() =>
        Assert.Equal("StepFailed", StatusReport.Build(Diagnosis.Of(new World().Formed(3).View()), new Plan(null, Plan.Steady, []), "Services: 403 Forbidden")
            .Conditions!.Single(condition => condition.Type == "Reconciled").Reason);

    [Fact]
    public void The_time_of_a_condition_moves_only_with_its_status()
    {
        var first = Report(new World().Formed(3));
        var view = new World().Formed(3).View() with { ObservedAt = World.Now.AddMinutes(5) };
        view = view with { Cluster = view.Cluster with { Status = first } };
        var second = StatusReport.Build(Diagnosis.Of(view), Planner.Decide(Diagnosis.Of(view)), null);
        Assert.Equal(KubernetesJson.Serialize(first), KubernetesJson.Serialize(second));
    }

    [Fact]
    public void What_was_latched_is_never_forgotten()
    {
        var status = Report(new World().Formed(3).NoQuorum());
        Assert.Equal(("token", "cafe", 3), (status.ClusterToken, status.ClusterId, status.MemberHighWater));
        Assert.NotNull(status.FormedAt);
    }

    [Fact]
    public void The_lowest_version_is_the_clusters() =>
        Assert.Equal("3.9.0", Report(new World().Formed(3).Member(1, member => member.Version = "3.10.0").Member(2, member => member.Version = "3.9.0").Member(3, member => member.Version = "3.10.1")).Version);

    static StoreClusterStatus Report(World world)
    {
        var diagnosis = Diagnosis.Of(world.View());
        return StatusReport.Build(diagnosis, Planner.Decide(diagnosis), error: null);
    }

    static V1Condition Of(StoreClusterStatus status, string type) => status.Conditions!.Single(condition => condition.Type == type);
}
