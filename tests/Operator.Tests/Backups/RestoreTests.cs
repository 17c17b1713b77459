using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>A cluster that begins with what was backed up: once, by the member that forms it, and by nobody else.</summary>
public sealed class RestoreTests
{
    static readonly MemberName Seed = new("orders", 1);

    [Fact]
    public void The_seed_restores_before_it_forms_the_cluster_under_ids_that_follow_from_its_own_token()
    {
        var restore = Assert.Single(Pod(Ticket.Form(Seed, World.Namespace)).InitContainers);
        Assert.Equal(["/app/store", "snapshot", "restore"], restore.Command);
        Assert.Contains("--from=s3://backups", restore.Args);
        Assert.Contains("--initial-cluster-token=token", restore.Args);
        Assert.Contains("--data-dir=/data/orders-1", restore.Args);
        Assert.Contains("--once", restore.Args);
        Assert.DoesNotContain(restore.Args, argument => argument.StartsWith("--to-", StringComparison.Ordinal));
    }

    [Fact]
    public void Nobody_restores_once_the_cluster_has_formed_and_that_restarts_nobody()
    {
        var (form, later) = (Set(Ticket.Form(Seed, World.Namespace)), Set(Ticket.Sealed(Seed, World.Namespace)));
        Assert.Null(later.Spec.Template.Spec.InitContainers);
        Assert.DoesNotContain(later.Spec.Template.Spec.Volumes, volume => volume.Name.StartsWith("restore-", StringComparison.Ordinal));
        Assert.Equal(form.Spec.Template.Metadata.Annotations[Annotations.Render], later.Spec.Template.Metadata.Annotations[Annotations.Render]);
        Assert.Null(Pod(new Ticket(TicketKind.Join, "orders-1=http://a,orders-2=http://b")).InitContainers);
    }

    [Theory]
    [InlineData("--to-time=2026-11-27T20:34:00Z")]
    [InlineData("--to-revision=7")]
    [InlineData("--backup-cluster=000000000000cafe")]
    public void What_is_to_be_restored_is_said(string argument)
    {
        var restore = argument[2..].Split('=') switch
        {
            ["to-time", var time] => From() with { Time = time },
            ["to-revision", var revision] => From() with { Revision = long.Parse(revision) },
            _ => From() with { ClusterId = "cafe" },
        };
        Assert.Contains(argument, Set(Ticket.Form(Seed, World.Namespace), restore).Spec.Template.Spec.InitContainers[0].Args);
    }

    [Fact]
    public void What_it_begins_with_is_latched_with_the_token_and_cannot_be_changed()
    {
        var begun = new World().Spec(spec => spec with { Bootstrap = new BootstrapSpec { Restore = From() } });
        var mint = Assert.IsType<Step.MintToken>(begun.Plan().Step);
        var status = new Step.LatchToken("token", mint.Tls, mint.Bootstrap, mint.Restore).Record(new StoreClusterStatus(), World.Now);
        Assert.Null(SpecValidation.Check(begun.Status(_ => status).Cluster()));
        foreach (var other in new[] { null, new BootstrapSpec(), new BootstrapSpec { Restore = From() with { Revision = 7 } } })
        {
            var changed = begun.Spec(spec => spec with { Bootstrap = other });
            Assert.StartsWith("spec.bootstrap", SpecValidation.Check(changed.Cluster()), StringComparison.Ordinal);
            Assert.Equal("Validate", changed.Plan().Rule);
        }
    }

    [Fact]
    public void A_cluster_that_began_empty_cannot_be_restored_afterwards() =>
        Assert.StartsWith("spec.bootstrap", SpecValidation.Check(new World().Formed(1).Spec(spec => spec with { Bootstrap = new BootstrapSpec { Restore = From() } }).Cluster()), StringComparison.Ordinal);

    [Fact]
    public void A_restore_that_fails_says_in_conditions_what_the_agent_said_and_offers()
    {
        var status = Report(new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "CrashLoopBackOff" } },
            "store: s3://backups: the object x is damaged: its content was changed; the newest sound state before it is of 2026-11-23T04:00:00Z: restore it with --to-revision 80\n");
        Assert.Equal(("False", "RestoreFailed"), (Of(status, "Ready").Status, Of(status, "Ready").Reason));
        var restored = Of(status, "Restored");
        Assert.Equal(("False", "RestoreFailed"), (restored.Status, restored.Reason));
        Assert.Contains("restore it with --to-revision 80", restored.Message, StringComparison.Ordinal);
        Assert.Contains("delete this StoreCluster", restored.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void While_it_restores_that_is_said_also_when_it_tries_again()
    {
        var running = new V1ContainerState { Running = new V1ContainerStateRunning() };
        Assert.Equal("Restoring", Of(Report(running, before: null), "Restored").Reason);
        Assert.Equal("RestoreFailed", Of(Report(running, "store: no"), "Restored").Reason);
    }

    [Fact]
    public void A_restored_seed_that_loses_its_disk_is_replaced_and_nothing_is_restored_again()
    {
        using var simulation = new Simulation();
        Scenario.Of("restored from a bucket that is missing first").Play(simulation);
        simulation.Apply(Scenario.Cluster, Scenario.Restored(Scenario.Spec(3), "backups"));
        simulation.RunUntilSettled(Scenario.Cluster);
        var seed = simulation.Cluster(Scenario.Cluster).Status!.Members![0];
        simulation.Delete("persistentvolumeclaims", seed.Claim!);
        simulation.Delete("pods", seed.Pod!);
        simulation.RunUntil(() => !simulation.Has(seed.Name) && simulation.IsSettled(Scenario.Cluster), TimeSpan.FromMinutes(10), () => simulation.Describe(Scenario.Cluster));
        Assert.Equal([null, "s3://backups"], simulation.Store.Groups.Select(group => group.RestoredFrom));
    }

    /// <summary>Revisions are one StoreCluster's: another one of its name begins again at 1, so what it is taken back to may have been handed out by the former.</summary>
    [Fact]
    public void A_cluster_that_was_made_anew_is_taken_back_although_the_former_one_was_further()
    {
        using var simulation = new Simulation();
        TakeBack(simulation, "first");
        simulation.Run(TimeSpan.FromMinutes(30));
        simulation.Delete("storeclusters", Scenario.Cluster);
        simulation.Conduct.Ended();
        simulation.Run(TimeSpan.FromSeconds(30));
        TakeBack(simulation, "second");
        var (former, latter) = (simulation.Store.Groups[1], simulation.Store.Groups[3]);
        Assert.True(former.Raised > 0 && former.Revision > latter.Revision, $"{former.Revision} and {latter.Revision}");
    }

    static void TakeBack(Simulation simulation, string name)
    {
        simulation.ApplyBackedUp(Scenario.Cluster, Scenario.Spec(1) with { Storage = new StorageSpec { Retention = new RetentionSpec { OnDelete = RetentionSpec.Delete } } });
        simulation.Restore(name, new StoreRestoreSpec { Cluster = Scenario.Cluster, SafetyBackup = false, Confirm = $"{Scenario.Cluster}@epoch=1" });
        simulation.RunUntilRestore(name, StoreRestoreStatus.Succeeded);
    }

    [Fact]
    public void Once_it_has_formed_it_is_restored() =>
        Assert.Equal("True", Of(StatusReport.Build(Diagnosis.Of(Latched(new World().Formed(3)).View()), new Plan(null, Plan.Steady, []), error: null), "Restored").Status);

    static StoreClusterStatus Report(V1ContainerState now, string? before)
    {
        var view = Latched(new World().Named().Operation(Operations.Form, 1).Member(1, member =>
        {
            member.Starting();
            (member.IsListed, member.Ticket) = (false, TicketKind.Form);
        })).View();
        view.Pods[0].Status.InitContainerStatuses =
        [
            new V1ContainerStatus { Name = "restore", State = now, LastState = before is null ? null : new V1ContainerState { Terminated = new V1ContainerStateTerminated { ExitCode = 1, Message = before } } },
        ];
        view.Pods[0].Status.ContainerStatuses[0].State = new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "PodInitializing" } };
        var diagnosis = Diagnosis.Of(view);
        return StatusReport.Build(diagnosis, Planner.Decide(diagnosis), error: null);
    }

    static World Latched(World world) => world.Spec(spec => spec with { Bootstrap = new BootstrapSpec { Restore = From() } })
        .Status(status => status with { Bootstrap = BootstrapValidation.Latch(new StoreClusterSpec { Bootstrap = new BootstrapSpec { Restore = From() } }) });

    static RestoreSpec From() => new() { From = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = "backups", CredentialsSecret = new LocalReference { Name = "s3" } } } };

    static V1PodSpec Pod(Ticket ticket) => Set(ticket).Spec.Template.Spec;

    static V1StatefulSet Set(Ticket ticket, RestoreSpec? restore = null) =>
        MemberStatefulSet.Build(new World().Spec(spec => spec with { Bootstrap = new BootstrapSpec { Restore = restore ?? From() } }).Cluster(), Seed, ticket, "token", World.Image);

    static V1Condition Of(StoreClusterStatus status, string type) => status.Conditions!.Single(condition => condition.Type == type);
}
