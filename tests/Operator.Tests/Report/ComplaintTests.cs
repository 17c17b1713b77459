using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What Kubernetes says in events alone: it has to reach conditions, and only while it is true.</summary>
public sealed class ComplaintTests
{
    [Fact]
    public void A_quota_that_forbids_a_pod_is_said() => Says(
        "QuotaExceeded", "exceeded quota: small",
        World(member => member.HasPod = false).Complaint("set-3", "FailedCreate", "create Pod orders-3-0 failed: pods \"orders-3-0\" is forbidden: exceeded quota: small"));

    [Fact]
    public void A_refused_pod_is_said() => Says(
        "PodRefused", "serviceaccount \"nobody\" not found",
        World(member => member.HasPod = false).Complaint("set-3", "FailedCreate", "error looking up service account shop/nobody: serviceaccount \"nobody\" not found"));

    [Fact]
    public void A_StorageClass_that_does_not_exist_is_said() => Says(
        "VolumePending", "storageclass.storage.k8s.io \"fast\" not found",
        World(member =>
        {
            member.Starting();
            member.ClaimPhase = "Pending";
            member.Scheduled = new V1PodCondition { Type = "PodScheduled", Status = "False", Message = "pod has unbound immediate PersistentVolumeClaims" };
        }).Complaint("claim-3", "ProvisioningFailed", "storageclass.storage.k8s.io \"fast\" not found"));

    [Fact]
    public void Of_a_missing_Secret_its_name_is_said_and_not_that_somebody_waits_for_it() => Says(
        "MountFailed", "secret \"keys\" not found",
        World(member => member.Starting())
            .Complaint("pod-3", "FailedMount", "Unable to attach or mount volumes: timed out waiting for the condition")
            .Complaint("pod-3", "FailedMount", "MountVolume.SetUp failed for volume \"keys\" : secret \"keys\" not found"));

    [Fact]
    public void A_complaint_about_what_has_been_overcome_is_past()
    {
        var world = new World().Formed(3).Complaint("pod-3", "FailedMount", "secret \"keys\" not found").Complaint("set-3", "FailedCreate", "exceeded quota");
        Assert.Equal("True", Condition(world, "Ready").Status);
    }

    [Fact]
    public void A_complaint_about_an_earlier_pod_of_the_name_does_not_count() =>
        Assert.Equal("MembersNotReady", Condition(World(member => member.Starting()).Complaint("pod-of-old", "FailedMount", "secret \"keys\" not found"), "Ready").Reason);

    [Fact]
    public void Events_are_read_only_while_a_pod_is_long_on_its_way()
    {
        static bool Reads(Action<MemberBuilder> change)
        {
            var view = new World().Formed(3).Member(3, change).View();
            return Complaint.MayExist(view.StatefulSets, view.Pods, Operator.Tests.World.Now);
        }

        Assert.False(Reads(_ => { }));
        Assert.False(Reads(member => { member.Starting(); member.PodAge = TimeSpan.FromSeconds(4); }));
        Assert.True(Reads(member => { member.Starting(); member.PodAge = TimeSpan.FromSeconds(5); }));
        Assert.True(Reads(member => member.HasPod = false));
    }

    static World World(Action<MemberBuilder> change) => new World().Formed(3).Member(3, change);

    static void Says(string reason, string words, World world)
    {
        foreach (var (type, status) in new[] { ("Ready", "False"), ("Degraded", "True"), ("AllMembersReady", "False") })
        {
            var condition = Condition(world, type);
            Assert.Equal((status, reason), (condition.Status, condition.Reason));
            Assert.Contains(words, condition.Message, StringComparison.Ordinal);
        }
    }

    static V1Condition Condition(World world, string type)
    {
        var diagnosis = Diagnosis.Of(world.View());
        return StatusReport.Build(diagnosis, Planner.Decide(diagnosis), error: null).Conditions!.Single(condition => condition.Type == type);
    }
}
