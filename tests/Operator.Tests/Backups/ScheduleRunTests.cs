using k8s.Models;
using Operator.Core;
using Xunit;
using static Operator.Tests.ScheduleStory;

namespace Operator.Tests;

/// <summary>Which StoreBackups a schedule makes and deletes, and what it says. The schedule is that of 02:00 each night unless a test says otherwise.</summary>
public sealed class ScheduleRunTests
{
    static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    [Theory]
    [InlineData("0 2 * * *", "UTC", "2026-11-23T10:00:00Z", "2026-11-24T02:00:00Z")]
    [InlineData("0 2 * * *", "Europe/Lisbon", "2026-07-23T10:00:00Z", "2026-07-24T01:00:00Z")]
    // Clocks are put forward from 01:00 to 02:00 on 29 March 2026: what was to be at 01:30 is at 02:00 (01:00 UTC).
    [InlineData("30 1 * * *", "Europe/Lisbon", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z")]
    [InlineData("30 1 * * *", "Europe/Lisbon", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z")]
    // They are put back from 02:00 to 01:00 on 25 October 2026: 01:30 comes twice, at 00:30 and 01:30 UTC, and counts once.
    [InlineData("30 1 * * *", "Europe/Lisbon", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z")]
    [InlineData("30 1 * * *", "Europe/Lisbon", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")]
    // What comes each hour comes in both.
    [InlineData("30 * * * *", "Europe/Lisbon", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")]
    [InlineData("@weekly", "UTC", "2026-11-23T10:00:00Z", "2026-11-29T00:00:00Z")]
    public void The_next_time_is_told(string cron, string zone, string now, string next)
    {
        var schedule = Nightly(cron) with { Metadata = new V1ObjectMeta { Name = "nightly", NamespaceProperty = World.Namespace, Uid = "uid", CreationTimestamp = At(now) } };
        Assert.Equal(At(next), ScheduleRun.Decide(schedule, TimeZoneInfo.FindSystemTimeZoneById(zone), [], At(now)).Status.NextScheduleTime);
    }

    [Fact]
    public void A_night_that_daylight_saving_lengthens_or_shortens_has_one_backup()
    {
        foreach (var (from, until) in new[] { ("2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"), ("2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z") })
        {
            var story = new ScheduleStory(Nightly("30 1 * * *", created: from), Lisbon);
            for (var now = At(from); now < At(until); now = now.AddMinutes(1)) story.Pass(now, StoreBackupStatus.Succeeded);
            Assert.Equal(3, story.Made.Count);
        }
    }

    [Fact]
    public void A_time_that_has_come_makes_one_under_a_name_that_the_time_gives()
    {
        var story = new ScheduleStory(Nightly());
        story.Pass(At("2026-11-23T10:00:00Z"));
        Assert.Empty(story.Made);
        var run = story.Pass(At("2026-11-24T02:00:03Z"));
        Assert.Equal(["nightly-202611240200"], story.Made);
        Assert.Equal(("orders", 1800), (run.Create!.Spec.Cluster, run.Create.Spec.TimeoutSeconds));
        var owner = Assert.Single(run.Create.Metadata.OwnerReferences);
        Assert.Equal(("StoreBackupSchedule", "nightly", "uid", true), (owner.Kind, owner.Name, owner.Uid, owner.Controller));
        Assert.Equal((At("2026-11-24T02:00:00Z"), At("2026-11-25T02:00:00Z")), (run.Status.LastScheduleTime, run.Status.NextScheduleTime));
        Assert.Equal(["nightly-202611240200"], run.Status.Active!);
        story.Pass(At("2026-11-24T02:00:04Z"));
        story.Pass(At("2026-11-24T02:00:59Z"));
        Assert.Single(story.Made);
    }

    [Fact]
    public void A_crash_before_status_says_so_makes_it_again_under_the_same_name()
    {
        var story = new ScheduleStory(Nightly());
        story.Pass(At("2026-11-23T10:00:00Z"));
        var first = story.Decide(At("2026-11-24T02:00:03Z")).Create!;
        Assert.Equal(first.Metadata.Name, story.Decide(At("2026-11-24T02:05:00Z")).Create!.Metadata.Name);
        story.Backups.Add(first);
        var after = story.Decide(At("2026-11-24T02:05:00Z"));
        Assert.Null(after.Create);
        Assert.Equal(At("2026-11-24T02:00:00Z"), after.Status.SettledUntil);
    }

    [Theory]
    [InlineData(null, "nightly-202611270200")]
    [InlineData(36000, "nightly-202611270200")]
    [InlineData(3600, null)]
    public void Of_times_that_were_missed_the_last_is_made_up_for_within_the_deadline(int? deadline, string? made)
    {
        var schedule = Nightly();
        var story = new ScheduleStory(schedule with { Spec = schedule.Spec with { StartingDeadlineSeconds = deadline } });
        story.Pass(At("2026-11-23T10:00:00Z"));
        var run = story.Pass(At("2026-11-27T09:00:00Z"));
        story.Pass(At("2026-11-27T09:00:01Z"));
        Assert.Equal(made is null ? [] : [made], story.Made);
        Assert.Equal(made is null ? "Missed" : "Waiting", Assert.Single(run.Status.Conditions!).Reason);
        Assert.Equal(At("2026-11-28T02:00:00Z"), run.Status.NextScheduleTime);
    }

    [Fact]
    public void While_one_is_under_way_a_time_is_skipped_and_that_is_said_until_the_next_is_taken()
    {
        var story = new ScheduleStory(Nightly());
        story.Pass(At("2026-11-23T10:00:00Z"));
        story.Pass(At("2026-11-24T02:00:00Z"));
        story.Pass(At("2026-11-25T02:00:00Z"));
        Assert.Single(story.Made);
        Assert.Equal("Skipped", story.Condition.Reason);
        Assert.Contains("nightly-202611240200 is still under way", story.Condition.Message, StringComparison.Ordinal);
        story.End(StoreBackupStatus.Succeeded, At("2026-11-25T03:00:00Z"));
        var run = story.Pass(At("2026-11-25T03:00:01Z"));
        Assert.Equal(("Skipped", At("2026-11-25T03:00:00Z"), null), (story.Condition.Reason, run.Status.LastSuccessfulTime, run.Status.Active));
        story.Pass(At("2026-11-26T02:00:00Z"));
        Assert.Equal(("Waiting", 2), (story.Condition.Reason, story.Made.Count));
    }

    [Fact]
    public void A_clock_that_goes_back_makes_nothing_twice()
    {
        var story = new ScheduleStory(Nightly("* * * * *"));
        for (var second = 0; second < 300; second += 10) story.Pass(At("2026-11-23T10:00:00Z").AddSeconds(second), StoreBackupStatus.Succeeded);
        Assert.Equal(4, story.Made.Count);
        for (var second = 0; second < 290; second += 10) story.Pass(At("2026-11-23T10:00:00Z").AddSeconds(second), StoreBackupStatus.Succeeded);
        Assert.Equal(4, story.Made.Count);
        story.Pass(At("2026-11-23T10:05:00Z"));
        Assert.Equal(5, story.Made.Distinct().Count());
    }

    [Fact]
    public void A_clock_that_was_years_ahead_does_not_silence_the_schedule_for_years()
    {
        var story = new ScheduleStory(Nightly());
        for (var pass = 0; pass < 2; pass++) story.Pass(At("2031-01-01T10:00:00Z"), StoreBackupStatus.Succeeded);
        story.Pass(At("2026-11-23T10:00:00Z"));
        Assert.Equal(["nightly-203101010200"], story.Made);
        story.Made.Clear();
        story.Pass(At("2026-11-24T02:00:00Z"));
        Assert.Equal(["nightly-202611240200"], story.Made);
    }

    [Fact]
    public void The_first_is_made_at_once_where_that_is_wanted_and_once()
    {
        var schedule = Nightly();
        var story = new ScheduleStory(schedule with { Spec = schedule.Spec with { Immediate = true } });
        story.Pass(At("2026-11-23T10:00:05Z"), StoreBackupStatus.Succeeded);
        story.Pass(At("2026-11-23T10:00:06Z"));
        story.Pass(At("2026-11-23T18:00:06Z"));
        Assert.Equal(["nightly-202611231000"], story.Made);
    }

    [Fact]
    public void Nothing_is_made_while_it_is_suspended_nor_for_the_times_in_between()
    {
        var schedule = Nightly();
        var story = new ScheduleStory(schedule);
        story.Pass(At("2026-11-23T10:00:00Z"));
        story.Change(schedule.Spec with { Suspend = true });
        Assert.Equal((null, "Suspended"), (story.Pass(At("2026-11-23T11:00:00Z")).Status.NextScheduleTime, story.Condition.Reason));
        story.Pass(At("2026-11-24T03:00:00Z"));
        story.Change(schedule.Spec);
        story.Pass(At("2026-11-24T09:00:00Z"));
        story.Pass(At("2026-11-24T09:00:01Z"));
        Assert.Empty(story.Made);
        story.Pass(At("2026-11-25T02:00:00Z"));
        Assert.Equal(["nightly-202611250200"], story.Made);
    }

    [Fact]
    public void One_that_is_wanted_at_once_and_was_made_before_the_operator_died_is_the_first_though_it_is_suspended_then()
    {
        var schedule = Nightly();
        var story = new ScheduleStory(schedule with { Spec = schedule.Spec with { Immediate = true } });
        story.Backups.Add(story.Decide(At("2026-11-23T10:00:05Z")).Create!);
        story.Change(schedule.Spec with { Immediate = true, Suspend = true });
        Assert.Equal(At("2026-11-23T10:00:00Z"), story.Pass(At("2026-11-23T10:10:00Z")).Status.LastScheduleTime);
        story.Backups.Clear();
        story.Change(schedule.Spec with { Immediate = true });
        story.Pass(At("2026-11-23T12:00:00Z"));
        story.Pass(At("2026-11-23T12:00:01Z"));
        Assert.Empty(story.Made);
        story.Pass(At("2026-11-24T02:00:00Z"));
        Assert.Equal(["nightly-202611240200"], story.Made);
    }

    [Theory]
    [InlineData(true, "0 2 * * *")]
    [InlineData(false, "61 2 * * *")]
    public void What_was_suspended_or_wrong_from_the_beginning_has_nothing_to_make_up_for(bool suspended, string cron)
    {
        foreach (var immediate in new[] { false, true })
        {
            var schedule = Nightly(cron);
            var right = schedule.Spec with { Schedule = "0 2 * * *", Immediate = immediate, StartingDeadlineSeconds = 600 };
            var story = new ScheduleStory(schedule with { Spec = right with { Schedule = cron, Suspend = suspended } });
            story.Pass(At("2026-11-23T10:00:05Z"));
            story.Pass(At("2026-11-25T01:00:00Z"));
            story.Change(right);
            for (var second = 0; second < 3; second++) story.Pass(At("2026-11-25T02:03:00Z").AddSeconds(second), StoreBackupStatus.Succeeded);
            Assert.Equal(immediate ? ["nightly-202611250203"] : [], story.Made);
        }
    }

    [Fact]
    public void Another_schedule_counts_from_when_it_is_in_force()
    {
        var schedule = Nightly();
        var story = new ScheduleStory(schedule);
        story.Pass(At("2026-11-23T10:00:00Z"));
        story.Change(schedule.Spec with { Schedule = "0 9 * * *" });
        story.Pass(At("2026-11-23T12:00:00Z"));
        story.Pass(At("2026-11-24T08:00:00Z"));
        Assert.Empty(story.Made);
        story.Pass(At("2026-11-24T09:00:00Z"));
        Assert.Equal(["nightly-202611240900"], story.Made);
    }

    [Theory]
    [InlineData("61 2 * * *", "UTC", "InvalidSchedule", "between 0 and 59")]
    [InlineData("0 0 2 * * *", "UTC", "InvalidSchedule", "0 2 * * *")]
    [InlineData("H 2 * * *", "UTC", "InvalidSchedule", "H")]
    [InlineData("0 0 31 2 *", "UTC", "InvalidSchedule", "no calendar has")]
    [InlineData("0 2 * * *", "Europe/Nowhere", "UnknownTimeZone", "Europe/Nowhere")]
    public void What_is_wrong_is_said_in_one_sentence_and_nothing_is_made(string cron, string zone, string reason, string words)
    {
        var known = TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? found : null;
        var schedule = Nightly(cron);
        var run = ScheduleRun.Decide(schedule with { Spec = schedule.Spec with { TimeZone = zone, Immediate = true } }, known, [], At("2026-11-23T10:00:00Z"));
        var condition = Assert.Single(run.Status.Conditions!);
        Assert.Equal(("False", reason, null, null), (condition.Status, condition.Reason, run.Create, run.Status.NextScheduleTime));
        Assert.Contains(words, condition.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_schedule_that_is_set_right_goes_on()
    {
        var schedule = Nightly();
        var story = new ScheduleStory(schedule with { Spec = schedule.Spec with { Schedule = "61 2 * * *" } });
        story.Pass(At("2026-11-23T10:00:00Z"));
        story.Change(schedule.Spec);
        story.Pass(At("2026-11-23T11:00:00Z"));
        Assert.Equal("Waiting", story.Condition.Reason);
        story.Pass(At("2026-11-24T02:00:00Z"));
        Assert.Single(story.Made);
    }

    [Fact]
    public void Those_that_ended_are_deleted_beyond_the_limit_of_their_kind_the_oldest_first()
    {
        var schedule = Nightly(created: "2026-11-20T10:00:00Z");
        var story = new ScheduleStory(schedule with { Spec = schedule.Spec with { HistoryLimit = new BackupHistorySpec { Succeeded = 2, Failed = 1 } } });
        story.Pass(At("2026-11-20T10:00:00Z"));
        for (var day = 21; day <= 26; day++) story.Pass(At($"2026-11-{day}T02:00:00Z"), day % 3 == 0 ? StoreBackupStatus.Failed : StoreBackupStatus.Succeeded);
        for (var pass = 1; pass < 9; pass++)
        {
            var run = story.Pass(At("2026-11-26T03:00:00Z").AddSeconds(pass));
            Assert.Equal(run.Delete is not null, run.Again == TimeSpan.Zero);
        }

        Assert.Equal(["nightly-202611240200", "nightly-202611250200", "nightly-202611260200"], story.Backups.Select(backup => backup.Metadata.Name));
        Assert.Null(story.Decide(At("2026-11-26T03:00:10Z")).Delete);
    }

    [Fact]
    public void Nothing_is_deleted_for_a_time_that_status_does_not_have_yet()
    {
        var schedule = Nightly();
        var story = new ScheduleStory(schedule with { Spec = schedule.Spec with { HistoryLimit = new BackupHistorySpec { Succeeded = 0 } } });
        story.Pass(At("2026-11-23T10:00:00Z"));
        story.Backups.Add(Ended(story.Decide(At("2026-11-24T02:00:00Z")).Create!, StoreBackupStatus.Succeeded, At("2026-11-24T02:00:00Z")));
        var settles = story.Decide(At("2026-11-24T02:00:10Z"));
        Assert.Equal((null, null, At("2026-11-24T02:00:00Z")), (settles.Create, settles.Delete, settles.Status.SettledUntil));
        story.Pass(At("2026-11-24T02:00:10Z"));
        Assert.Equal("nightly-202611240200", story.Decide(At("2026-11-24T02:00:11Z")).Delete?.Metadata.Name);
    }

    [Fact]
    public void In_between_nothing_is_written()
    {
        var story = new ScheduleStory(Nightly());
        story.Pass(At("2026-11-23T10:00:00Z"));
        var settled = story.Pass(At("2026-11-23T10:00:01Z"));
        for (var minute = 1; minute < 900; minute += 7)
        {
            var again = story.Decide(At("2026-11-23T10:00:01Z").AddMinutes(minute));
            Assert.Equal(k8s.KubernetesJson.Serialize(settled.Status), k8s.KubernetesJson.Serialize(again.Status));
            Assert.InRange(again.Again!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public void What_cannot_be_deleted_is_said_and_holds_up_no_backup()
    {
        using var simulation = new Simulation();
        simulation.ApplyBackedUp(Scenario.Cluster, Scenario.Spec(1));
        while (simulation.Now.Second != 10) simulation.Run(TimeSpan.FromSeconds(1));
        simulation.Table.Forbidden.Add("DELETE storebackups");
        simulation.Schedule("minutely", Scenario.Cluster, "* * * * *", succeeded: 1);
        string Said() => simulation.Table.Get("storebackupschedules", Simulation.Key("minutely"))!["status"]!["conditions"]![0]!.ToJsonString();
        simulation.Run(TimeSpan.FromSeconds(200));
        Assert.Equal(3, simulation.Table.List("storebackups").Count);
        Assert.Contains("\"NotDeleted\"", Said(), StringComparison.Ordinal);
        Assert.Contains("could not be deleted: 403 Forbidden", Said(), StringComparison.Ordinal);
        var writes = simulation.Writes.Writes.Count;
        simulation.Run(TimeSpan.FromSeconds(20));
        Assert.DoesNotContain(simulation.Writes.Writes.Skip(writes), write => write.Contains("storebackup", StringComparison.Ordinal));
        simulation.SendEvents();
        Assert.Single(simulation.Table.List("events"), sent => (string?)sent["reason"] == "BackupNotDeleted");
        simulation.Table.Forbidden.Clear();
        simulation.Run(TimeSpan.FromSeconds(8));
        Assert.Single(simulation.Table.List("storebackups"));
        Assert.Contains("\"Waiting\"", Said(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_operator_that_dies_at_any_write_takes_the_same_backups()
    {
        var wanted = Play(crash: null, out var writes);
        Assert.Equal(3, wanted.Count);
        for (var write = 0; write < writes; write++)
        {
            foreach (var before in new[] { true, false }) Assert.Equal(wanted, Play((write, before), out _));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Two_operators_that_see_things_late_make_one_for_each_time(int seed)
    {
        using var simulation = new Simulation(seed, Watches.Lagging, operators: 2);
        simulation.ApplyBackedUp(Scenario.Cluster, Scenario.Spec(1));
        while (simulation.Now.Second != 10) simulation.Run(TimeSpan.FromSeconds(1));
        simulation.Schedule("minutely", Scenario.Cluster, "* * * * *", succeeded: 100);
        simulation.Run(TimeSpan.FromSeconds(265));
        var made = simulation.Table.List("storebackups");
        Assert.Equal(4, made.Count);
        Assert.All(made, backup => Assert.Equal(StoreBackupStatus.Succeeded, (string?)backup["status"]?["phase"]));
        // The agents' own first one, and no other.
        Assert.Equal(1 + made.Count, simulation.Store.Backups.Taken);
    }

    /// <summary>Three minutes of a schedule for each minute, of which the last two are kept.</summary>
    /// <param name="crash">Which of the writes since the schedule was made.</param>
    /// <param name="writes">How many there were.</param>
    /// <returns>StoreBackups that are there in the end, and how many full backups were taken.</returns>
    static IReadOnlyList<string> Play((int Write, bool Before)? crash, out int writes)
    {
        using var simulation = new Simulation();
        simulation.ApplyBackedUp(Scenario.Cluster, Scenario.Spec(1));
        while (simulation.Now.Second != 10) simulation.Run(TimeSpan.FromSeconds(1));
        var begun = simulation.Writes.Writes.Count;
        if (crash is { } at) simulation.Writes.CrashAt = (begun + at.Write, at.Before);
        simulation.Schedule("minutely", Scenario.Cluster, "* * * * *", succeeded: 2);
        simulation.Run(TimeSpan.FromSeconds(200));
        writes = simulation.Writes.Writes.Count - begun;
        Assert.Equal(crash is null ? 0 : 1, simulation.Crashes);
        return [.. simulation.Table.List("storebackups").Select(item => $"{item["metadata"]!["name"]} {item["status"]?["phase"]}"), $"{simulation.Store.Backups.Taken} taken"];
    }
}
