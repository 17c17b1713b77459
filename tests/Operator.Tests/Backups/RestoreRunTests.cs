using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What a StoreRestore says and does next.</summary>
public sealed class RestoreRunTests
{
    const string Words = "orders@epoch=1";
    static readonly DateTimeOffset Now = new(World.Now);

    [Theory]
    [InlineData("no cluster", "there is no StoreCluster orders")]
    [InlineData("not formed", "has not formed yet")]
    [InlineData("paused", "take spec.paused away")]
    [InlineData("another one", "StoreRestore first of StoreCluster orders is under way; it is waited for")]
    [InlineData("no backups", "has no spec.backup to take the safety backup with")]
    [InlineData("no backups and no safety", "has no backups of its own")]
    [InlineData("unknown StoreBackup", "there is no StoreBackup monday")]
    [InlineData("failed StoreBackup", "StoreBackup monday failed: the bucket is full")]
    [InlineData("in the future", "which is still to come")]
    [InlineData("no date", "which is no moment of the calendar")]
    [InlineData("before the first", "make another StoreRestore with that clusterId")]
    [InlineData("not backed up yet", "only what was until")]
    [InlineData("revision too new", "revision 91 is not backed up; the newest that is, is 90")]
    [InlineData("time and revision", "spec has time and revision")]
    [InlineData("two sources", "spec has backup and from")]
    [InlineData("two targets", "spec.from needs one of s3, azure and volume")]
    [InlineData("key without location", "spec has encryptionKeySecret without from")]
    [InlineData("id beside a StoreBackup", "spec has clusterId beside backup")]
    [InlineData("bad name", "spec.cluster")]
    public void What_it_waits_for_or_what_is_wrong_is_said_and_nothing_is_done_though_it_is_confirmed(string situation, string words)
    {
        var (spec, cluster, around) = (new StoreRestoreSpec { Cluster = "orders", Confirm = Words }, BackedUp(), Around());
        var bucket = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = "elsewhere" } };
        StoreBackup Monday(StoreBackupStatus status) => new() { Metadata = new V1ObjectMeta { Name = "monday" }, Spec = new StoreBackupSpec { Cluster = "orders" }, Status = status };
        switch (situation)
        {
            case "no cluster": around = around with { Cluster = null }; break;
            case "not formed": around = around with { Cluster = new World().Named().Spec(one => Scenario.BackedUp(one, "backups")).Cluster() }; break;
            case "paused": around = around with { Cluster = cluster with { Spec = cluster.Spec with { Paused = true } } }; break;
            case "another one": around = around with { Other = "first" }; break;
            case "no backups": around = around with { Cluster = new World().Formed(3).Cluster() }; break;
            case "no backups and no safety": (around, spec) = (around with { Cluster = new World().Formed(3).Cluster() }, spec with { SafetyBackup = false }); break;
            case "unknown StoreBackup": spec = spec with { Backup = "monday" }; break;
            case "failed StoreBackup": (around, spec) = (around with { Named = Monday(new StoreBackupStatus { Phase = StoreBackupStatus.Failed, Message = "the bucket is full" }) }, spec with { Backup = "monday" }); break;
            case "in the future": spec = spec with { Time = "2026-11-23T10:00:01Z" }; break;
            case "no date": spec = spec with { Time = "2026-13-23T10:00:01Z" }; break;
            case "before the first":
                around = around with { Cluster = cluster with { Status = cluster.Status! with { Restoration = new RestorationStatus { Name = "first", Uid = "uid", FormerClusterId = "beef" } } } };
                spec = spec with { Time = "2026-11-23T07:59:59Z" };
                break;
            case "not backed up yet": spec = spec with { Time = "2026-11-23T09:59:56Z" }; break;
            case "revision too new": spec = spec with { Revision = 91 }; break;
            case "time and revision": spec = spec with { Revision = 9, Time = "2026-11-23T09:00:00Z" }; break;
            case "two sources": spec = spec with { Backup = "monday", From = bucket }; break;
            case "two targets": spec = spec with { From = bucket with { Volume = new VolumeTargetSpec { ClaimName = "backups" } } }; break;
            case "key without location": spec = spec with { EncryptionKeySecret = new BackupKeyReference { Name = "key" } }; break;
            case "id beside a StoreBackup": spec = spec with { Backup = "monday", ClusterId = "beef" }; break;
            case "bad name": spec = spec with { Cluster = "Orders" }; break;
        }

        var run = RestoreRun.Decide(Restore(spec), around, World.Now);
        Assert.Equal((StoreRestoreStatus.Pending, null, null), (run.Status.Phase, run.Ask, run.Status.StartedAt));
        Assert.Contains(words, run.Status.Message, StringComparison.Ordinal);
        Assert.Same(run.Status.Conditions, RestoreRun.Decide(Restore(spec, run.Status), around, World.Now).Status.Conditions);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("orders@epoch=2")]
    [InlineData("order@epoch=1")]
    public void It_says_what_would_be_lost_and_which_words_confirm_it_and_takes_no_others(string? said)
    {
        var run = RestoreRun.Decide(Restore(new StoreRestoreSpec { Cluster = "orders", Time = "2026-11-23T09:00:00Z", Confirm = said }), Around(), World.Now);
        Assert.Equal((StoreRestoreStatus.AwaitingConfirmation, 2, 90L, "cafe", null), (run.Status.Phase, run.Status.EpochAfter, run.Status.CurrentRevision, run.Status.ClusterId, run.Status.StartedAt));
        Assert.StartsWith($"set spec.confirm to {Words}", run.Status.Message, StringComparison.Ordinal);
        Assert.Contains("the state of 2026-11-23T09:00:00Z. It is at revision 90 now; what was written after that is lost to it, and kept in a backup that is taken first", run.Status.Message, StringComparison.Ordinal);
        Assert.Equal(("False", StoreRestoreStatus.AwaitingConfirmation), (run.Status.Conditions![0].Status, run.Status.Conditions[0].Reason));
    }

    [Fact]
    public void Words_of_a_former_epoch_confirm_nothing()
    {
        var cluster = BackedUp();
        var later = Around() with { Cluster = cluster with { Status = cluster.Status! with { Epoch = 2 } } };
        var run = RestoreRun.Decide(Restore(new StoreRestoreSpec { Cluster = "orders", Confirm = Words }), later, World.Now);
        Assert.Equal(StoreRestoreStatus.AwaitingConfirmation, run.Status.Phase);
        Assert.Contains("orders@epoch=2 (it is orders@epoch=1 now)", run.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Confirmed_it_takes_the_safety_backup_and_then_only_is_the_cluster_asked()
    {
        var spec = new StoreRestoreSpec { Cluster = "orders", Confirm = Words };
        var confirmed = RestoreRun.Decide(Restore(spec), Around(), World.Now);
        Assert.Equal((StoreRestoreStatus.TakingSafetyBackup, World.Now, null), (confirmed.Status.Phase, confirmed.Status.StartedAt, confirmed.Ask));
        var begun = RestoreRun.Decide(Restore(spec, confirmed.Status), Around(), World.Now);
        Assert.Equal(("old", null), (begun.Status.SafetyBackup!.After, begun.Ask));
        Assert.Equal(new MemberName("orders", 2), RestoreRun.Decide(Restore(spec, begun.Status), Around(), World.Now).Ask);
        var taken = RestoreRun.Decide(Restore(spec, begun.Status), Around("new"), World.Now).Status;
        Assert.Equal((StoreRestoreStatus.Restoring, "new", "s3://backups/"), (taken.Phase, taken.SafetyBackup!.Id, taken.SafetyBackup.Location));
        var source = taken.Source!;
        Assert.Equal(("backups", "cafe", null, null), (source.From!.S3!.Bucket, source.ClusterId, source.Time, source.Revision));
    }

    [Fact]
    public void A_safety_backup_that_fails_ends_it_with_nothing_changed()
    {
        var run = RestoreRun.Decide(TakingSafetyBackup(), Around(), World.Now.AddHours(2));
        Assert.Equal(StoreRestoreStatus.Failed, run.Status.Phase);
        Assert.Contains("the safety backup failed, and nothing was changed", run.Status.Message, StringComparison.Ordinal);
        Assert.Same(run.Status, RestoreRun.Decide(TakingSafetyBackup() with { Status = run.Status }, Around(), World.Now.AddDays(1)).Status);
    }

    [Fact]
    public void That_the_safety_backup_cannot_be_asked_for_is_said_with_the_reason()
    {
        var run = RestoreRun.Decide(TakingSafetyBackup(), Around() with { Refused = "403 Forbidden: secrets" }, World.Now);
        Assert.Contains("403 Forbidden: secrets", Assert.Single(run.Status.Conditions!).Message, StringComparison.Ordinal);
        Assert.NotNull(run.Ask);
    }

    [Fact]
    public void Without_a_safety_backup_the_cluster_is_asked_at_once_also_when_nobody_answers()
    {
        var run = RestoreRun.Decide(Restore(new StoreRestoreSpec { Cluster = "orders", Confirm = Words, SafetyBackup = false }), Around() with { Agents = new Dictionary<MemberName, AgentReport>() }, World.Now);
        Assert.Equal(StoreRestoreStatus.Restoring, run.Status.Phase);
    }

    [Fact]
    public void A_StoreBackup_by_name_brings_its_location_id_and_revision()
    {
        var source = new BackupSource { Target = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = "elsewhere" } }, EncryptionKeySecret = new BackupKeyReference { Name = "key" } };
        var named = new StoreBackup { Spec = new StoreBackupSpec { Cluster = "gone" }, Status = new StoreBackupStatus { Phase = StoreBackupStatus.Succeeded, ClusterId = "beef", Revision = 7, Source = source } };
        var run = RestoreRun.Decide(Restore(new StoreRestoreSpec { Cluster = "orders", Backup = "monday" }), Around() with { Named = named }, World.Now);
        Assert.Equal((StoreRestoreStatus.AwaitingConfirmation, "beef", 7, "key"), (run.Status.Phase, run.Status.Source!.ClusterId, run.Status.Source.Revision, run.Status.Source.EncryptionKeySecret!.Name));
    }

    [Fact]
    public void One_whose_epoch_another_has_begun_fails_and_has_done_nothing()
    {
        var run = ConfirmedBefore(status => status with { Epoch = 2, Restoration = new RestorationStatus { Name = "other", Uid = "other" } });
        Assert.Equal(StoreRestoreStatus.Failed, run.Status.Phase);
        Assert.Contains("was begun by StoreRestore other", run.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_whose_cluster_was_made_anew_fails_and_has_done_nothing()
    {
        var run = ConfirmedBefore(status => status with { ClusterId = "beef" });
        Assert.Equal(StoreRestoreStatus.Failed, run.Status.Phase);
        Assert.Contains("StoreCluster orders was made anew: it was cafe and is beef. Nothing was done for this one; make another", run.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_keeps_the_cluster_from_being_taken_back_is_said()
    {
        var run = ConfirmedBefore(status => status with { Blocked = [new BlockedStatus { Rule = "Validate", Reason = "InvalidSpec", Message = "spec.auth.rootSecret is missing" }] });
        Assert.Equal((StoreRestoreStatus.Restoring, "StoreCluster orders cannot be taken back yet: spec.auth.rootSecret is missing"), (run.Status.Phase, run.Status.Message));
    }

    [Fact]
    public void A_safety_backup_of_a_cluster_that_is_gone_is_not_waited_for()
    {
        var run = RestoreRun.Decide(TakingSafetyBackup(), Around() with { Cluster = null }, World.Now);
        Assert.Equal((StoreRestoreStatus.Failed, "StoreCluster orders is gone"), (run.Status.Phase, run.Status.Message));
    }

    /// <summary>The pass after it was confirmed, where the StoreCluster's status has become another in between.</summary>
    static RestoreRun ConfirmedBefore(Func<StoreClusterStatus, StoreClusterStatus> change)
    {
        var spec = new StoreRestoreSpec { Cluster = "orders", Confirm = Words, SafetyBackup = false };
        var asked = RestoreRun.Decide(Restore(spec), Around(), World.Now).Status;
        var cluster = BackedUp();
        return RestoreRun.Decide(Restore(spec, asked), Around() with { Cluster = cluster with { Status = change(cluster.Status!) } }, World.Now);
    }

    static StoreRestore TakingSafetyBackup()
    {
        var spec = new StoreRestoreSpec { Cluster = "orders", Confirm = Words };
        var confirmed = RestoreRun.Decide(Restore(spec), Around(), World.Now).Status;
        return Restore(spec, RestoreRun.Decide(Restore(spec, confirmed), Around(), World.Now).Status);
    }

    static StoreRestore Restore(StoreRestoreSpec spec, StoreRestoreStatus? status = null) =>
        new() { Metadata = new V1ObjectMeta { Name = "back", NamespaceProperty = World.Namespace, Uid = "restore-1" }, Spec = spec, Status = status };

    static StoreCluster BackedUp() => new World().Formed(3).Spec(spec => Scenario.BackedUp(spec, "backups")).Cluster();

    static RestoreSurroundings Around(string full = "old") => new(BackedUp(), Named: null, Other: null, Enumerable.Range(1, 3).ToDictionary(
        number => new MemberName("orders", number), number => new AgentReport
        {
            Location = "s3://backups/",
            Turn = number == 2,
            RecoverableFrom = Now.AddHours(-2),
            RecoverableTo = Now.AddSeconds(-5),
            RecoverableRevision = 90,
            LastFull = new AgentBackup(full, 80, full == "old" ? Now.AddHours(-2) : Now, 1000, 300),
        }));
}
