using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What a StoreBackup says and does next.</summary>
public sealed class BackupRunTests
{
    static readonly DateTimeOffset Now = new(World.Now);
    static readonly AgentBackup Old = new("old", 80, Now.AddHours(-2), 1000, 300), New = new("new", 90, Now, 1100, 310);

    [Theory]
    [InlineData("no cluster", "there is no StoreCluster orders")]
    [InlineData("no backups", "has no spec.backup")]
    [InlineData("not formed", "has not formed yet")]
    [InlineData("no agents", "no backup agent")]
    public void What_it_waits_for_is_said(string situation, string words)
    {
        var formed = new World().Formed(3);
        var (cluster, agents) = situation switch
        {
            "no cluster" => (null, Agents(Old)),
            "no backups" => (formed.Cluster(), Agents(Old)),
            "not formed" => (new World().Named().Spec(spec => Scenario.BackedUp(spec, "backups")).Cluster(), Agents(Old)),
            _ => (Cluster(), new Dictionary<MemberName, AgentReport>()),
        };
        var run = BackupRun.Decide(Backup(null), cluster, agents, World.Now);
        Assert.Equal((StoreBackupStatus.Pending, null), (run.Status.Phase, run.Ask));
        Assert.Contains(words, run.Status.Message, StringComparison.Ordinal);
        Assert.Null(run.Status.StartedAt);
    }

    [Fact]
    public void Nobody_is_asked_before_status_says_what_for()
    {
        var first = BackupRun.Decide(Backup(null), Cluster(), Agents(Old), World.Now);
        Assert.Equal((StoreBackupStatus.Running, "old", "cafe", World.Now, null), (first.Status.Phase, first.Status.After, first.Status.ClusterId, first.Status.StartedAt, first.Ask));
        var second = BackupRun.Decide(Backup(first.Status), Cluster(), Agents(Old), World.Now.AddSeconds(1));
        Assert.Equal(new MemberName("orders", 2), second.Ask);
    }

    [Fact]
    public void A_newer_full_backup_is_it()
    {
        var run = BackupRun.Decide(Backup(Running()), Cluster(), Agents(New), World.Now.AddSeconds(9));
        Assert.True(run.Status.Ended);
        Assert.Null(run.Ask);
        Assert.Equal(
            (StoreBackupStatus.Succeeded, "new", 90, World.Now, 1100, 310, "s3://backups/", World.Now.AddSeconds(9)),
            (run.Status.Phase, run.Status.Id, run.Status.Revision, run.Status.Time, run.Status.Bytes, run.Status.StoredBytes, run.Status.Location, run.Status.CompletedAt));
        Assert.Same(run.Status, BackupRun.Decide(Backup(run.Status), cluster: null, Agents(Old), World.Now.AddDays(1)).Status);
    }

    [Fact]
    public void After_its_time_it_has_failed_and_says_why()
    {
        var agents = Agents(Old).ToDictionary(pair => pair.Key, pair => pair.Value with { LastFailure = new AgentFailure(Now, "Full", "the bucket is full") });
        Assert.Equal(StoreBackupStatus.Running, BackupRun.Decide(Backup(Running()), Cluster(), agents, World.Now.AddSeconds(3599)).Status.Phase);
        var run = BackupRun.Decide(Backup(Running()), Cluster(), agents, World.Now.AddSeconds(3600));
        Assert.Equal(StoreBackupStatus.Failed, run.Status.Phase);
        Assert.Contains("the bucket is full", run.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_of_all_backups_can_be_asked_for()
    {
        var started = BackupRun.Decide(Backup(null), Cluster(), Agents(null), World.Now).Status;
        Assert.Null(started.After);
        Assert.NotNull(BackupRun.Decide(Backup(started), Cluster(), Agents(null), World.Now).Ask);
        Assert.Equal(StoreBackupStatus.Succeeded, BackupRun.Decide(Backup(started), Cluster(), Agents(Old), World.Now).Status.Phase);
    }

    [Fact]
    public void An_operator_that_dies_at_any_write_has_one_backup_taken()
    {
        for (var write = 0; write < 4; write++)
        {
            foreach (var before in new[] { true, false })
            {
                using var simulation = new Simulation();
                simulation.ApplyBackedUp(Scenario.Cluster, Scenario.Spec(1));
                var begun = simulation.Writes.Writes.Count;
                if (write < 3) simulation.Writes.CrashAt = (begun + write, before);
                simulation.Backup("now", Scenario.Cluster);
                simulation.RunUntil(() => simulation.Backup("now").Status?.Phase == StoreBackupStatus.Succeeded, TimeSpan.FromMinutes(2), () => $"{simulation.Backup("now").Status}");
                Assert.Equal("full-1", simulation.Backup("now").Status!.Id);
                simulation.Run(TimeSpan.FromMinutes(2));
                Assert.Equal(2, simulation.Store.Backups.Taken);
                Assert.Equal(write < 3 ? 1 : 0, simulation.Crashes);
            }
        }
    }

    /// <summary>The simulated agent refuses requests in clear, and takes those over TLS of whom its member would take as a client.</summary>
    [Fact]
    public void Where_members_speak_TLS_the_agent_is_asked_with_the_operators_certificate()
    {
        using var simulation = new Simulation();
        simulation.ApplyBackedUp(Scenario.Cluster, Scenario.Encrypted(Scenario.Spec(1)));
        simulation.Backup("now", Scenario.Cluster);
        simulation.RunUntil(() => simulation.Backup("now").Status?.Phase == StoreBackupStatus.Succeeded, TimeSpan.FromMinutes(2), () => $"{simulation.Backup("now").Status}");
        Assert.Equal(2, simulation.Store.Backups.Taken);
    }

    [Fact]
    public void Where_nobody_can_be_asked_for_it_the_message_says_why_once_and_it_goes_on_when_that_is_mended()
    {
        using var simulation = new Simulation();
        simulation.ApplyBackedUp(Scenario.Cluster, Scenario.Encrypted(Scenario.Spec(1)));
        simulation.Table.Forbidden.Add("GET secrets");
        simulation.Backup("now", Scenario.Cluster);
        simulation.Run(TimeSpan.FromSeconds(20));
        Assert.Contains("403 Forbidden", simulation.Backup("now").Status!.Message, StringComparison.Ordinal);
        var writes = simulation.Writes.Writes.Count;
        simulation.Run(TimeSpan.FromSeconds(20));
        Assert.DoesNotContain(simulation.Writes.Writes.Skip(writes), write => write.Contains("storebackup", StringComparison.Ordinal));
        simulation.Table.Forbidden.Clear();
        simulation.RunUntil(() => simulation.Backup("now").Status?.Phase == StoreBackupStatus.Succeeded, TimeSpan.FromMinutes(2), () => $"{simulation.Backup("now").Status}");
    }

    static StoreBackup Backup(StoreBackupStatus? status) =>
        new() { Metadata = new V1ObjectMeta { Name = "now", NamespaceProperty = World.Namespace }, Spec = new StoreBackupSpec { Cluster = "orders" }, Status = status };

    static StoreBackupStatus Running() => BackupRun.Decide(Backup(null), Cluster(), Agents(Old), World.Now).Status;

    static StoreCluster Cluster() => new World().Formed(3).Spec(spec => Scenario.BackedUp(spec, "backups")).Cluster();

    static Dictionary<MemberName, AgentReport> Agents(AgentBackup? full) => Enumerable.Range(1, 3).ToDictionary(
        number => new MemberName("orders", number), number => new AgentReport { Location = "s3://backups/", Turn = number == 2, LastFull = full });
}
