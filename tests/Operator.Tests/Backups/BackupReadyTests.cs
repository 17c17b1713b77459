using System.Text.Json;
using k8s.Models;
using Operator.Controller;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What is said of backups: what the agents found, and whether it is recent enough.</summary>
public sealed class BackupReadyTests
{
    static readonly DateTimeOffset Now = new(World.Now);

    public static TheoryData<string, string> Situations => new()
    {
        { "no agent answers", "Unknown NoAgentAnswers" },
        { "nobody answers any more, and the last word is old", "False NoAgentAnswers" },
        { "nobody answers any more, and the last word is fresh", "Unknown NoAgentAnswers" },
        { "nothing is there yet", "False FirstBackup" },
        { "nothing is there, and the credentials are refused", "False Denied" },
        { "recent", "True Recoverable" },
        { "one agent is behind and another is not", "True Recoverable" },
        { "behind", "False Behind" },
        { "behind, and the bucket is full", "False Full" },
        { "behind, after a failure that was overcome", "False Behind" },
        { "the drill failed", "False DrillFailed" },
        { "the drill failed before the newest full backup", "True Recoverable" },
        { "not formed", "Unknown Forming" },
        { "invalid", "Unknown InvalidSpec" },
    };

    [Theory]
    [MemberData(nameof(Situations))]
    public void A_situation_is_told(string situation, string wanted)
    {
        var condition = Condition(Build(Of(situation)));
        Assert.Equal(wanted, $"{condition.Status} {condition.Reason}");
        Assert.NotEmpty(condition.Message);
    }

    [Fact]
    public void Without_backups_nothing_is_said() => Assert.DoesNotContain(Build(new World().Formed(1)).Conditions!, condition => condition.Type == ConditionTypes.BackupReady);

    [Fact]
    public void The_condition_turns_when_the_last_moment_has_become_too_old_without_anybody_saying_so()
    {
        var at = Backed().Agent(1, Recent() with { RecoverableTo = Now.AddMinutes(-5) });
        Assert.Equal("True", Condition(Build(at)).Status);
        Assert.Equal("False", Condition(Build(Backed().Agent(1, Recent() with { RecoverableTo = Now.AddMinutes(-5).AddSeconds(-1) }))).Status);
    }

    [Fact]
    public void What_failed_is_in_the_message()
    {
        var condition = Condition(Build(Of("nothing is there, and the credentials are refused")));
        Assert.Contains("access denied", condition.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_recoverable_moment_alone_is_written_when_it_has_moved_by_half_the_rpo()
    {
        var first = Build(Backed().Agent(1, Recent())).Backup!;
        Assert.Equal(World.Now, first.RecoverableUntil);
        StoreClusterStatus After(TimeSpan moved) => Build(Backed().Status(status => status with { Backup = first }).Agent(1, Recent() with { RecoverableTo = Now + moved }));
        Assert.Equal(first, After(TimeSpan.FromSeconds(149)).Backup);
        Assert.Equal(World.Now.AddSeconds(150), After(TimeSpan.FromSeconds(150)).Backup!.RecoverableUntil);
        Assert.Equal(World.Now.AddSeconds(-1), After(TimeSpan.FromSeconds(-1)).Backup!.RecoverableUntil);
    }

    [Fact]
    public void A_new_full_backup_is_written_at_once()
    {
        var first = Build(Backed().Agent(1, Recent())).Backup!;
        var next = Build(Backed().Status(status => status with { Backup = first }).Agent(1, Recent() with { LastFull = new AgentBackup("b", 90, Now, 7, 3), Fulls = 2 })).Backup!;
        Assert.Equal(("b", 2), (next.LastFull!.Id, next.Fulls));
    }

    [Fact]
    public void The_last_drill_is_remembered_when_its_agent_has_restarted()
    {
        var held = Build(Backed().Agent(1, Recent() with { LastDrill = new AgentDrill(Now.AddHours(-1), TimeSpan.FromSeconds(21), 80, Problem: null) })).Backup!;
        var later = Build(Backed().Status(status => status with { Backup = held }).Agent(1, Recent()).Agent(2, Recent())).Backup!;
        Assert.Equal((true, 21, 80), (later.LastDrill!.Passed, later.LastDrill.Seconds, later.LastDrill.Revision));
        var failed = Build(Backed().Status(status => status with { Backup = later }).Agent(1, Recent() with { LastDrill = new AgentDrill(Now, TimeSpan.FromSeconds(2), 80, "the hash differs") })).Backup!;
        Assert.Equal((false, World.Now.AddHours(-1)), (failed.LastDrill!.Passed, failed.LastPassedDrill));
    }

    [Fact]
    public void What_an_agent_writes_is_read()
    {
        var report = JsonSerializer.Deserialize("""
            {
              "location": "s3://backups/shop", "clusterId": "00000000cafe0000", "turn": true, "recoverableFrom": "2026-11-23T04:00:00.5+00:00", "recoverableTo": "2026-11-23T11:00:00.25+01:00",
              "recoverableRevision": 88, "fulls": 3, "deltas": 40, "lastFull": { "id": "a", "revision": 80, "time": "2026-11-23T09:00:00+00:00", "bytes": 1000, "storedBytes": 300 },
              "unusable": [], "lastFailure": { "at": "2026-11-23T05:00:00+00:00", "failure": "Unreachable", "message": "no route" },
              "lastDrill": { "at": "2026-11-23T05:00:00+00:00", "took": "00:00:18.5", "revision": 70, "hashCompared": true, "problem": "the hash differs" }
            }
            """, AgentJson.Default.AgentReport)!;
        Assert.Equal(("s3://backups/shop", Now.AddMilliseconds(250), 88, 3), (report.Location, report.RecoverableTo, report.RecoverableRevision, report.Fulls));
        Assert.Equal(new AgentBackup("a", 80, Now.AddHours(-1), 1000, 300), report.LastFull);
        Assert.Equal(("Unreachable", "no route"), (report.LastFailure!.Failure, report.LastFailure.Message));
        Assert.Equal((TimeSpan.FromSeconds(18.5), "the hash differs"), (report.LastDrill!.Took, report.LastDrill.Problem));
    }

    static World Of(string situation) => situation switch
    {
        "no agent answers" => Backed(),
        "nobody answers any more, and the last word is old" => Backed().Status(status => status with { Backup = new BackupStatus { RecoverableUntil = World.Now.AddMinutes(-6) } }),
        "nobody answers any more, and the last word is fresh" => Backed().Status(status => status with { Backup = new BackupStatus { RecoverableUntil = World.Now.AddMinutes(-4) } }),
        "nothing is there yet" => Backed().Agent(1, new AgentReport()),
        "nothing is there, and the credentials are refused" => Backed().Agent(1, new AgentReport()).Agent(2, new AgentReport { LastFailure = new AgentFailure(Now, "Denied", "access denied") }),
        "recent" => Backed().Agent(1, Recent()),
        "one agent is behind and another is not" => Backed().Agent(1, Recent() with { RecoverableTo = Now.AddHours(-1) }).Agent(2, Recent()),
        "behind" => Backed().Agent(1, Recent() with { RecoverableTo = Now.AddHours(-1) }),
        "behind, and the bucket is full" => Backed().Agent(1, Recent() with { RecoverableTo = Now.AddHours(-1), LastFailure = new AgentFailure(Now.AddMinutes(-1), "Full", "the bucket is full") }),
        "behind, after a failure that was overcome" => Backed().Agent(1, Recent() with { RecoverableTo = Now.AddHours(-1), LastFailure = new AgentFailure(Now.AddHours(-2), "Full", "the bucket is full") }),
        "the drill failed" => Backed().Agent(1, Recent() with { LastDrill = new AgentDrill(Now.AddMinutes(-1), TimeSpan.FromSeconds(1), 80, "the hash differs") }),
        "the drill failed before the newest full backup" => Backed().Agent(1, Recent() with { LastDrill = new AgentDrill(Now.AddHours(-3), TimeSpan.FromSeconds(1), 80, "the hash differs") }),
        "not formed" => new World().Named().Spec(WithBackups),
        "invalid" => Backed().Spec(spec => spec with { Backup = spec.Backup! with { Rpo = "30s" } }),
        _ => throw new ArgumentOutOfRangeException(nameof(situation), situation, null),
    };

    static World Backed() => new World().Formed(3).Spec(WithBackups);

    static StoreClusterSpec WithBackups(StoreClusterSpec spec) => Scenario.BackedUp(spec, "backups") with { Backup = Scenario.BackedUp(spec, "backups").Backup! with { Rpo = "5m" } };

    static AgentReport Recent() => new()
    {
        Location = "s3://backups/",
        RecoverableFrom = Now.AddHours(-8),
        RecoverableTo = Now,
        RecoverableRevision = 88,
        Fulls = 1,
        LastFull = new AgentBackup("a", 80, Now.AddHours(-2), 1000, 300),
    };

    static StoreClusterStatus Build(World world) => StatusReport.Build(Diagnosis.Of(world.View()), world.Plan(), error: null);

    static V1Condition Condition(StoreClusterStatus status) => status.Conditions!.Single(condition => condition.Type == ConditionTypes.BackupReady);
}
