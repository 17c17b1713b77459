using Operator.Core;
using Xunit;
using static Operator.Tests.ScheduleStory;

namespace Operator.Tests;

/// <summary>What people are told of a schedule, as events.</summary>
public sealed class ScheduleNewsTests
{
    [Fact]
    public void People_are_told_of_each_backup_that_is_made_and_how_it_ended_and_of_each_time_once()
    {
        var story = new ScheduleStory(Nightly());
        void Passes(string from)
        {
            for (var pass = 0; pass < 5; pass++) story.Pass(At(from).AddMinutes(pass));
        }

        Passes("2026-11-23T10:00:00Z");
        Assert.Empty(story.News());
        Passes("2026-11-24T02:00:00Z");
        Assert.Equal(["BackupCreated: StoreBackup nightly-202611240200 was made, for 2026-11-24 02:00:00Z"], story.News());
        story.End(StoreBackupStatus.Succeeded, At("2026-11-24T03:00:00Z"));
        Passes("2026-11-24T03:00:00Z");
        Assert.Equal(["BackupSucceeded: StoreBackup nightly-202611240200 succeeded"], story.News());
        Passes("2026-11-25T02:00:00Z");
        story.News();
        Passes("2026-11-26T02:00:00Z");
        Assert.StartsWith("! BackupSkipped: 2026-11-26 02:00:00Z was skipped", Assert.Single(story.News()), StringComparison.Ordinal);
        Passes("2026-11-27T02:00:00Z");
        Assert.StartsWith("! BackupSkipped: 2026-11-27 02:00:00Z was skipped", Assert.Single(story.News()), StringComparison.Ordinal);
        story.End(StoreBackupStatus.Failed, At("2026-11-27T03:00:00Z"), "the disk is full");
        Passes("2026-11-27T03:00:00Z");
        Assert.Equal(["! BackupFailed: StoreBackup nightly-202611250200 failed: the disk is full"], story.News());
    }

    [Fact]
    public void One_that_was_made_and_ended_before_status_said_so_is_told_as_well()
    {
        var story = new ScheduleStory(Nightly());
        story.Pass(At("2026-11-23T10:00:00Z"));
        story.Backups.Add(Ended(story.Decide(At("2026-11-24T02:00:03Z")).Create!, StoreBackupStatus.Succeeded, At("2026-11-24T02:01:00Z")));
        story.Pass(At("2026-11-24T02:05:00Z"));
        story.Pass(At("2026-11-24T02:05:01Z"));
        Assert.Equal(["BackupCreated: StoreBackup nightly-202611240200 was made, for 2026-11-24 02:00:00Z", "BackupSucceeded: StoreBackup nightly-202611240200 succeeded"], story.News());
    }

    [Fact]
    public void People_are_told_of_a_time_that_was_missed_and_of_what_is_wrong_and_not_again_while_it_lasts()
    {
        var schedule = Nightly();
        var story = new ScheduleStory(schedule with { Spec = schedule.Spec with { StartingDeadlineSeconds = 60 } });
        story.Pass(At("2026-11-23T10:00:00Z"));
        for (var pass = 0; pass < 3; pass++) story.Pass(At("2026-11-24T09:00:00Z").AddMinutes(pass));
        Assert.StartsWith("! BackupMissed: 2026-11-24 02:00:00Z was missed", Assert.Single(story.News()), StringComparison.Ordinal);
        story.Change(schedule.Spec with { Schedule = "61 2 * * *" });
        for (var pass = 0; pass < 3; pass++) story.Pass(At("2026-11-24T10:00:00Z").AddMinutes(pass));
        Assert.StartsWith("! InvalidSchedule: ", Assert.Single(story.News()), StringComparison.Ordinal);
        story.Change(schedule.Spec with { TimeZone = "Europe/Nowhere", Suspend = true });
        story.Pass(At("2026-11-24T11:00:00Z"));
        Assert.StartsWith("Suspended: ", Assert.Single(story.News()), StringComparison.Ordinal);
        story.Change(schedule.Spec);
        story.Pass(At("2026-11-24T12:00:00Z"));
        Assert.Empty(story.News());
        for (var minute = 0; minute < 5; minute++) story.Refuse(At("2026-11-25T02:00:00Z").AddMinutes(minute), $"403 Forbidden: exceeded quota, {minute} used");
        Assert.Equal("! BackupNotMade: StoreBackup nightly-202611250200 could not be made: 403 Forbidden: exceeded quota, 0 used", Assert.Single(story.News()));
    }

    [Fact]
    public void What_people_are_told_is_about_the_schedule_and_reaches_the_API_server()
    {
        using var simulation = new Simulation();
        simulation.Schedule("wrong", Scenario.Cluster, "61 * * * *", succeeded: 1);
        simulation.Run(TimeSpan.FromMinutes(7));
        simulation.SendEvents();
        var sent = Assert.Single(simulation.Table.List("events"));
        Assert.Equal(("Warning", "InvalidSchedule"), ((string?)sent["type"], (string?)sent["reason"]));
        var schedule = simulation.Table.Get("storebackupschedules", Simulation.Key("wrong"))!;
        Assert.Equal(("StoreBackupSchedule", "wrong", (string?)schedule["metadata"]!["uid"]), ((string?)sent["regarding"]!["kind"], (string?)sent["regarding"]!["name"], (string?)sent["regarding"]!["uid"]));
    }
}
