using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>A cluster that is to begin with what a StoreBackup holds: its name is resolved once, before anything is made.</summary>
public sealed class RestoreSourceTests
{
    static readonly RestoreSpec Named = new() { Backup = "nightly" };

    static readonly BackupSource Source = new()
    {
        Target = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = "backups", CredentialsSecret = new LocalReference { Name = "s3" } } },
        EncryptionKeySecret = new BackupKeyReference { Name = "key" },
    };

    static readonly StoreBackupStatus Taken = new() { Phase = StoreBackupStatus.Succeeded, Cluster = "gone", ClusterId = "beef", Source = Source, Id = "full-7", Revision = 88 };

    public static TheoryData<string, StoreBackupStatus?, string, string> Unfinished => new()
    {
        { "there", null, "BackupRunning", "nobody has looked at it" },
        { "there", new StoreBackupStatus { Phase = StoreBackupStatus.Pending, Message = "no backup agent answers" }, "BackupRunning", "no backup agent answers" },
        { "there", new StoreBackupStatus { Phase = StoreBackupStatus.Running, Message = "it is being taken" }, "BackupRunning", "it is being taken" },
        { "there", new StoreBackupStatus { Phase = StoreBackupStatus.Failed, Message = "the bucket is full" }, "BackupFailed", "the bucket is full" },
        { "there", Taken with { Source = null }, "BackupFailed", "restore with from" },
        { "not there", null, "BackupMissing", "there is no StoreBackup nightly" },
    };

    [Theory]
    [MemberData(nameof(Unfinished))]
    public void What_cannot_be_restored_yet_is_said_in_conditions_and_nothing_is_made(string place, StoreBackupStatus? status, string reason, string words)
    {
        var world = Wanting(Named).RestoreBackup(place == "there" ? Backup(status) : null);
        Assert.Null(world.Plan().Step);
        var report = StatusReport.Build(Diagnosis.Of(world.View()), world.Plan(), error: null);
        foreach (var type in new[] { ConditionTypes.Ready, ConditionTypes.Restored })
        {
            var condition = report.Conditions!.Single(condition => condition.Type == type);
            Assert.Equal(("False", reason), (condition.Status, condition.Reason));
            Assert.Contains(words, condition.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_StoreBackup_that_succeeded_says_everything_that_a_restore_needs()
    {
        var found = Assert.IsType<RestoreSource.Found>(RestoreSource.Of(Named, Backup(Taken)));
        Assert.Equal(new RestoreSpec { From = Source.Target, EncryptionKeySecret = Source.EncryptionKeySecret, ClusterId = "beef", Revision = 88 }, found.Restore);
    }

    [Fact]
    public void Another_state_of_the_same_cluster_can_be_asked_for()
    {
        var earlier = Assert.IsType<RestoreSource.Found>(RestoreSource.Of(Named with { Revision = 70 }, Backup(Taken))).Restore;
        Assert.Equal((70, null, "beef"), (earlier.Revision, earlier.Time, earlier.ClusterId));
        var moment = Assert.IsType<RestoreSource.Found>(RestoreSource.Of(Named with { Time = "2026-11-27T20:34:00Z" }, Backup(Taken))).Restore;
        Assert.Equal((null, "2026-11-27T20:34:00Z"), (moment.Revision, moment.Time));
    }

    [Fact]
    public void A_location_stands_for_itself() =>
        Assert.Equal(new RestoreSource.Found(new RestoreSpec { From = Source.Target }), RestoreSource.Of(new RestoreSpec { From = Source.Target }, named: null));

    [Fact]
    public void It_is_latched_with_the_token_and_the_StoreBackup_is_needed_no_more()
    {
        var world = Wanting(Named).RestoreBackup(Backup(Taken));
        var mint = Assert.IsType<Step.MintToken>(world.Plan().Step);
        var status = new Step.LatchToken("token", mint.Tls, mint.Bootstrap, mint.Restore).Record(new StoreClusterStatus(), World.Now);
        Assert.Equal(88, status.Restore!.Revision);
        var later = world.Status(_ => status with { MemberHighWater = 1, Operation = Operations.Start(Operations.Form, new MemberName("orders", 1), World.Now) }).RestoreBackup(null);
        var seed = Assert.IsType<V1StatefulSet>(Assert.IsType<Step.Apply>(later.Plan().Step).Object);
        var restore = Assert.Single(seed.Spec.Template.Spec.InitContainers).Args;
        Assert.Contains("--from=s3://backups", restore);
        Assert.Contains("--to-revision=88", restore);
        Assert.Contains("--backup-cluster=000000000000beef", restore);
        Assert.Contains("--encryption-key-file=/etc/store/restore/key/key", restore);
        Assert.Contains(seed.Spec.Template.Spec.Volumes, volume => volume.Secret?.SecretName == "s3");
    }

    [Fact]
    public void A_cluster_whose_status_was_lost_does_not_form_anew_while_its_StoreBackup_is_gone()
    {
        var lost = Seed(TicketKind.Form);
        Assert.Equal((null, "Token"), (lost.Step, lost.Rule));
        Assert.Equal("BackupMissing", Assert.Single(lost.Blocked).Reason);
    }

    [Fact]
    public void A_cluster_whose_status_was_lost_and_that_has_formed_needs_its_StoreBackup_no_more() => Assert.IsType<Step.MintToken>(Seed(TicketKind.Sealed).Step);

    /// <summary>Of a cluster with one member that does not answer, whose status and StoreBackup are gone.</summary>
    static Plan Seed(TicketKind ticket)
    {
        var view = Wanting(Named).Status(status => status with { Restore = new RestoreSpec { From = Source.Target } }).NoQuorum().Member(1, member =>
        {
            member.Starting();
            (member.IsListed, member.Ticket) = (false, ticket);
        }).View();
        return Planner.Decide(Diagnosis.Of(view with { Cluster = view.Cluster with { Status = null }, RestoreBackup = null }));
    }

    [Fact]
    public void What_it_is_of_and_where_it_goes_is_noted_before_it_is_asked_for_and_a_change_fails_it()
    {
        var cluster = Cluster("backups");
        var agents = new Dictionary<MemberName, AgentReport> { [new MemberName("orders", 1)] = new() { Location = "s3://backups/" } };
        var running = BackupRun.Decide(Backup(null), cluster, agents, World.Now).Status;
        Assert.Equal(cluster.Spec.Backup!.Target, running.Source!.Target);
        var full = agents.ToDictionary(pair => pair.Key, pair => pair.Value with { LastFull = new AgentBackup("a", 9, new DateTimeOffset(World.Now), 7, 3) });
        Assert.Equal(running.Source, BackupRun.Decide(Backup(running), cluster, full, World.Now).Status.Source);
        Assert.Equal(StoreBackupStatus.Succeeded, BackupRun.Decide(Backup(running), cluster: null, full, World.Now).Status.Phase);
        // One that an operator began which noted nothing is not held to it.
        Assert.Equal(StoreBackupStatus.Succeeded, BackupRun.Decide(Backup(running with { Source = null }), cluster, full, World.Now).Status.Phase);
        foreach (var (changed, words) in new[] { (Cluster("elsewhere"), "spec.backup"), (cluster with { Status = cluster.Status! with { ClusterId = "another" } }, "made anew") })
        {
            var failed = BackupRun.Decide(Backup(running), changed, full, World.Now).Status;
            Assert.Equal(StoreBackupStatus.Failed, failed.Phase);
            Assert.Contains(words, failed.Message, StringComparison.Ordinal);
        }
    }

    static StoreCluster Cluster(string bucket) => new World().Formed(1).Spec(spec => Scenario.BackedUp(spec, bucket)).Cluster();

    static World Wanting(RestoreSpec restore) => new World().Spec(spec => spec with { Replicas = 1, Bootstrap = new BootstrapSpec { Restore = restore } });

    static StoreBackup Backup(StoreBackupStatus? status) =>
        new() { Metadata = new V1ObjectMeta { Name = "nightly", NamespaceProperty = World.Namespace }, Spec = new StoreBackupSpec { Cluster = "orders" }, Status = status };
}
