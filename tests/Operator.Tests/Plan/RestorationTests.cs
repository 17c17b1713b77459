using System.Text.Json.Nodes;
using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>Giving up one epoch of a cluster and beginning the next from a backup.</summary>
public sealed class RestorationTests
{
    static readonly RestoreSpec Source = new() { From = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = "backups" } }, ClusterId = "cafe", Revision = 70 };

    [Fact]
    public void What_comes_is_in_status_before_anything_is_touched()
    {
        var world = new World().Formed(3).Operation(Operations.Add, 4).Status(status => status with { Backup = new BackupStatus { RecoverableRevision = 90 } }).Approved(Approved());
        var step = Assert.IsType<Step.BeginRestoration>(world.Plan().Step);
        Assert.Equal(("uid-9", "cafe", 90, 4), (step.Restoration.Uid, step.Restoration.FormerClusterId, step.Restoration.AboveRevision, step.Restoration.RetiredThrough));
        Assert.Equal(["orders-1", "orders-2", "orders-3"], step.Restoration.Retired!);
        var status = step.Record(world.Cluster().Status!, World.Now);
        Assert.Equal(("uid-9", 2, null, null, null, 4), (status.ClusterToken, status.Epoch, status.ClusterId, status.FormedAt, status.Operation, status.MemberHighWater));
        Assert.Same(Source, status.Restore);
    }

    /// <summary>Nobody else would know of it afterwards: a claim alone may be one that retention has kept.</summary>
    [Fact]
    public void The_volume_of_a_member_whose_removal_is_cut_short_goes_with_those_of_the_others()
    {
        var world = new World().Formed(1).Member(2, Gone).Claim("data-orders-3-0").Operation(Operations.Remove, 2).Approved(Approved());
        Assert.Equal(["orders-1", "orders-2"], Assert.IsType<Step.BeginRestoration>(world.Plan().Step).Restoration.Retired!);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void One_that_is_for_another_epoch_begins_nothing(int epoch) => Assert.IsNotType<Step.BeginRestoration>(new World().Formed(3).Approved(Approved(epoch)).Plan().Step);

    /// <summary>The StoreCluster was deleted and another one made of its name, whose epoch is the first again.</summary>
    [Theory]
    [InlineData("beef")]
    [InlineData(null)]
    public void One_that_was_confirmed_for_a_cluster_that_is_gone_begins_nothing(string? id) =>
        Assert.IsNotType<Step.BeginRestoration>(new World().Formed(3).Status(status => status with { ClusterId = id }).Approved(Approved()).Plan().Step);

    [Fact]
    public void Paused_nothing_begins() => Assert.Null(new World().Formed(3).Spec(spec => spec with { Paused = true }).Approved(Approved()).Plan().Step);

    [Fact]
    public void The_new_revision_lies_above_all_that_was_seen_and_above_what_an_earlier_restore_gave_out()
    {
        var world = new World().Formed(1).Status(status => status with { Epoch = 2, Restoration = Restoration(through: 0) with { AboveRevision = 500 } }).Approved(Approved(3));
        Assert.Equal(1_000_000_500, Assert.IsType<Step.BeginRestoration>(world.Plan().Step).Restoration.AboveRevision);
    }

    [Fact]
    public void Old_StatefulSets_go_one_after_the_other_and_the_end_of_every_pod_is_awaited()
    {
        Assert.Equal("orders-1", Assert.IsType<Step.DeleteStatefulSet>(Begun().Plan().Step).Member.ToString());
        var stopping = Begun().Member(1, Gone).Member(2, member => member.HasSet = false).Member(3, Gone).Plan();
        Assert.Null(stopping.Step);
        Assert.Equal("PodStopping", Assert.Single(stopping.Blocked).Reason);
        var stuck = Begun().Member(1, Gone).Member(2, member => (member.HasSet, member.DeletingFor) = (false, TimeSpan.FromSeconds(30))).Member(3, Gone).Plan();
        Assert.True(Assert.IsType<Step.DeletePod>(stuck.Step).Force);
    }

    [Fact]
    public void When_they_are_gone_a_seed_with_a_number_of_its_own_restores_above_every_old_revision()
    {
        var world = Begun().Member(1, Gone).Member(2, Gone).Member(3, Gone);
        Assert.Equal("orders-4", Assert.IsType<Step.StartOperation>(world.Plan().Step).Member.ToString());
        var set = Assert.IsType<V1StatefulSet>(Assert.IsType<Step.Apply>(world.Operation(Operations.Form, 4).Plan().Step).Object);
        Assert.Equal(("orders-4", "uid-9", "2"), (set.Metadata.Name, set.Metadata.Annotations[Annotations.ClusterToken], set.Metadata.Annotations[Annotations.Epoch]));
        var arguments = set.Spec.Template.Spec.InitContainers[0].Args;
        Assert.Contains("--from=s3://backups", arguments);
        Assert.Contains("--backup-cluster=000000000000cafe", arguments);
        Assert.Contains("--to-revision=70", arguments);
        Assert.Contains("--above-revision=90", arguments);
        Assert.Contains("--initial-cluster-token=uid-9", arguments);
    }

    [Theory]
    [InlineData(RetentionSpec.Delete, true, true)]
    [InlineData(RetentionSpec.Delete, false, false)]
    [InlineData(RetentionSpec.Retain, true, false)]
    public void Old_volumes_go_after_the_new_epoch_has_formed_and_only_where_volumes_of_former_members_do(string retention, bool formed, bool deleted)
    {
        var world = Begun().Member(1, Gone).Member(2, Gone).Member(3, Gone).Member(4, member => member.ClusterId = "cafe")
            .Spec(spec => spec with { Replicas = 1, Storage = new StorageSpec { Retention = new RetentionSpec { OnScaleIn = retention } } })
            .Status(status => status with { ClusterId = formed ? "cafe" : null, FormedAt = formed ? World.Now : null, MemberHighWater = 4 });
        var step = world.Plan().Step;
        Assert.True(deleted == step is Step.DeleteClaim { Claim: "data-orders-1-0" }, $"{step}");
        if (!deleted) Assert.False(step is Step.DeleteClaim);
    }

    [Fact]
    public void A_lost_status_forms_nothing_empty_in_place_of_what_is_being_restored()
    {
        var world = new World().Status(status => status with { ClusterToken = "uid-9", Epoch = 2 }).Member(4, Seeding);
        var halted = world.Plan();
        Assert.Null(halted.Step);
        Assert.Equal("StatusLost", halted.Blocked[^1].Reason);
        var resumed = Assert.IsType<Step.ResumeRestoration>(world.Approved(Approved()).Plan().Step);
        Assert.Equal((3, "uid-9"), (resumed.Restoration.RetiredThrough, resumed.Restoration.Uid));
    }

    public static TheoryData<string> Moments => ["begun", "seed made", "seed runs", "formed", "joining"];

    [Theory]
    [MemberData(nameof(Moments))]
    public void A_status_that_is_lost_at_any_moment_leads_to_the_same_end_and_to_one_restored_cluster(string moment)
    {
        using var simulation = new Simulation();
        simulation.ApplyBackedUp(Scenario.Cluster, Scenario.Spec(3));
        simulation.Restore("back", new StoreRestoreSpec { Cluster = Scenario.Cluster, Confirm = "orders@epoch=1" });
        simulation.RunUntil(() => Reached(simulation, moment), TimeSpan.FromMinutes(5), () => simulation.Describe(Scenario.Cluster));
        var wiped = (JsonObject)simulation.Table.Get("storeclusters", Simulation.Key(Scenario.Cluster))!.DeepClone();
        wiped.Remove("status");
        simulation.Table.Put("storeclusters", wiped);
        simulation.RunUntilRestore("back", StoreRestoreStatus.Succeeded);
        simulation.RunUntilSettled(Scenario.Cluster);
        Assert.Equal([null, "s3://backups"], simulation.Store.Groups.Select(group => group.RestoredFrom));
        Assert.Equal((2, "back"), (simulation.Cluster(Scenario.Cluster).Status!.Epoch, simulation.Cluster(Scenario.Cluster).Status!.Restoration!.Name));
        Assert.Equal(["data-orders-4-0", "data-orders-5-0", "data-orders-6-0"], simulation.Table.List("persistentvolumeclaims").Select(claim => ObjectTable.KeyOf(claim).Name));
    }

    static bool Reached(Simulation simulation, string moment)
    {
        var status = simulation.Cluster(Scenario.Cluster).Status!;
        return moment switch
        {
            "begun" => status.Epoch == 2,
            "seed made" => simulation.Has("orders-4"),
            "seed runs" => simulation.Store.Groups.Count == 2,
            "formed" => status is { Epoch: 2, FormedAt: not null },
            _ => simulation.Has("orders-5"),
        };
    }

    /// <summary>Three members of epoch 1 stand, and status says epoch 2.</summary>
    static World Begun() => new World().Formed(3).Status(status => status with
    {
        ClusterToken = "uid-9",
        ClusterId = null,
        FormedAt = null,
        Epoch = 2,
        Restore = Source,
        Restoration = Restoration(through: 3),
    });

    static RestorationStatus Restoration(int through) => new() { Name = "back", Uid = "uid-9", FormerClusterId = "cafe", AboveRevision = 90, RetiredThrough = through, Retired = ["orders-1", "orders-2", "orders-3"] };

    static void Gone(MemberBuilder member) => (member.HasSet, member.HasPod, member.IsListed, member.Answers) = (false, false, false, false);

    static void Seeding(MemberBuilder member)
    {
        member.Starting();
        (member.Ticket, member.IsListed) = (TicketKind.Form, false);
    }

    static StoreRestore Approved(int epoch = 2) => new()
    {
        Metadata = new V1ObjectMeta { Name = "back", NamespaceProperty = World.Namespace, Uid = "uid-9" },
        Spec = new StoreRestoreSpec { Cluster = "orders" },
        Status = new StoreRestoreStatus { Phase = StoreRestoreStatus.Restoring, EpochAfter = epoch, ClusterId = "cafe", Source = Source, CurrentRevision = 80 },
    };
}
