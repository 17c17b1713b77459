using System.Globalization;
using k8s.Models;

namespace Operator.Core;

/// <summary>What comes next for a StoreBackupSchedule. Pure; the shell makes the StoreBackup, then writes the status, then deletes.</summary>
/// <remarks>
/// 1. the schedule comes into force: status says which, and from when on its times count;
/// 2. a time has come: its StoreBackup is made, under a name that the time gives;
/// 3. status says that the time is settled;
/// 4. the StoreBackup has ended, and once there are too many of its kind the oldest is deleted.
/// A crash between 2 and 3 makes it again and finds it there, and so does another operator. Nothing is deleted for a time that is not settled, or it would be made again.
/// </remarks>
/// <param name="Create">The StoreBackup to make before the status is written; null for none.</param>
/// <param name="Delete">The StoreBackup to delete after; null for none.</param>
/// <param name="Again">When to look again at the latest; null for when something changes.</param>
public sealed record ScheduleRun(StoreBackupScheduleStatus Status, StoreBackup? Create, StoreBackup? Delete, TimeSpan? Again)
{
    public const string ScheduledCondition = "Scheduled";
    const string TimeInName = "yyyyMMddHHmm";

    /// <summary>Clocks are put right and put back, so nobody sleeps through long.</summary>
    static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    /// <summary>StoreBackups tell by themselves that they have ended only to those that look.</summary>
    static readonly TimeSpan RestWhileActive = TimeSpan.FromSeconds(5);

    /// <summary>Settled so far ahead of the clock, times were settled by a clock that was wrong.</summary>
    static readonly TimeSpan MostAhead = TimeSpan.FromDays(1);

    /// <param name="zone">spec.timeZone; null when it is not known.</param>
    /// <param name="mine">The StoreBackups that this schedule owns.</param>
    /// <param name="undeleted">What was said against deleting the last one; null when nothing was. It is said where there is nothing worse.</param>
    public static ScheduleRun Decide(StoreBackupSchedule schedule, TimeZoneInfo? zone, IReadOnlyList<StoreBackup> mine, DateTime now, string? undeleted = null)
    {
        var run = Next(schedule, zone, mine, now);
        return undeleted is not null && run is { Delete: not null, Status.Conditions: [{ Reason: "Waiting" }] } ? run.Say(schedule, new Verdict("True", "NotDeleted", undeleted), now, run.Status.NextScheduleTime) : run;
    }

    static ScheduleRun Next(StoreBackupSchedule schedule, TimeZoneInfo? zone, IReadOnlyList<StoreBackup> mine, DateTime now)
    {
        var told = Told(schedule, mine);
        var old = Old(schedule, mine);
        var rest = new ScheduleRun(told, Create: null, Delete: old, old is not null ? TimeSpan.Zero : mine.Any(backup => !Ended(backup)) ? RestWhileActive : null);
        // What is due before it is first in force is settled by that: it was not wanted then.
        var idle = told with { SettledUntil = told.SettledUntil ?? now };
        if (Wrong(schedule, zone, out var times) is { } wrong) return (rest with { Status = idle }).Say(schedule, wrong, now, next: null);
        if (schedule.Spec.Suspend)
            return (rest with { Status = idle with { InForce = null } }).Say(schedule, new Verdict("False", "Suspended", "spec.suspend is set: nothing is taken until it is taken away"), now, next: null);

        var inForce = $"{schedule.Spec.Schedule} {schedule.Spec.TimeZone}";
        if (told.InForce != inForce || told.SettledUntil > now + MostAhead)
        {
            // What another schedule would have had done meanwhile is not made up for.
            var since = told.SettledUntil is null && schedule.Metadata.CreationTimestamp is { } made ? made.ToUniversalTime() : now;
            told = told with { InForce = inForce, SettledUntil = since };
            if (!(schedule.Spec.Immediate && told.LastScheduleTime is null)) return (rest with { Status = told, Again = TimeSpan.Zero }).Wait(schedule, times!, now, said: null);
            return Take(schedule, rest with { Status = told }, times!, mine, since, now);
        }

        return times!.LastWithin(told.SettledUntil!.Value, now) is { } due ? Take(schedule, rest, times, mine, due, now) : rest.Wait(schedule, times, now, said: null);
    }

    /// <summary>What is said when a StoreBackup could not be made. Its time is not settled, so it is tried again.</summary>
    public static StoreBackupScheduleStatus Refused(StoreBackupSchedule schedule, StoreBackup wanted, string why, DateTime now)
    {
        var before = schedule.Status ?? new StoreBackupScheduleStatus();
        var verdict = new Verdict("False", "NotMade", $"StoreBackup {wanted.Metadata.Name} could not be made: {why}");
        return before with { Conditions = [Conditions.Set(before.Conditions, ScheduledCondition, verdict, schedule.Metadata.Generation, now)] };
    }

    /// <summary>Settles a time that has come.</summary>
    static ScheduleRun Take(StoreBackupSchedule schedule, ScheduleRun rest, CronTimes times, IReadOnlyList<StoreBackup> mine, DateTime due, DateTime now)
    {
        var name = NameOf(schedule, due);
        var settled = rest with { Status = rest.Status with { SettledUntil = due }, Again = TimeSpan.Zero };
        if (schedule.Spec.StartingDeadlineSeconds is { } deadline && now - due > TimeSpan.FromSeconds(deadline))
            return settled.Wait(schedule, times, now, new Verdict("True", "Missed", $"{due:u} was missed: no operator looked within {deadline} s (startingDeadlineSeconds)"));
        if (mine.FirstOrDefault(backup => !Ended(backup) && backup.Metadata.Name != name) is { } before)
            return settled.Wait(schedule, times, now, new Verdict("True", "Skipped", $"{due:u} was skipped: StoreBackup {before.Metadata.Name} is still under way ({before.Status?.Message ?? "nobody has looked at it"})"));
        var taken = settled with
        {
            Create = mine.Any(backup => backup.Metadata.Name == name) ? null : Backup(schedule, name),
            Status = settled.Status with { LastScheduleTime = due, Active = [.. (settled.Status.Active ?? []).Append(name).Distinct().Order(StringComparer.Ordinal)] },
        };
        return taken.Wait(schedule, times, now, said: null);
    }

    /// <summary>nightly-202611280200: by the minute, since no schedule has two times in one.</summary>
    internal static string NameOf(StoreBackupSchedule schedule, DateTime time) => $"{schedule.Metadata.Name}-{time.ToString(TimeInName, CultureInfo.InvariantCulture)}";

    /// <summary>To the minute; null for a name that somebody else gave.</summary>
    static DateTime? TimeOf(StoreBackup backup) =>
        backup.Metadata.Name.Length > TimeInName.Length
        && DateTime.TryParseExact(backup.Metadata.Name[^TimeInName.Length..], TimeInName, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    static StoreBackup Backup(StoreBackupSchedule schedule, string name) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = schedule.Metadata.NamespaceProperty,
            OwnerReferences = [Labels.Owner(schedule)],
        },
        Spec = new StoreBackupSpec { Cluster = schedule.Spec.Cluster, TimeoutSeconds = schedule.Spec.TimeoutSeconds },
    };

    /// <summary>What the StoreBackups say. What succeeded is remembered when its object is gone. One is there before status says that it was made, and is then all that tells of it:
    /// 1. the first is made, at once, and the operator dies; 2. the schedule is suspended; 3. its StoreBackup is deleted by somebody; 4. it goes on, and another first one would be made.</summary>
    static StoreBackupScheduleStatus Told(StoreBackupSchedule schedule, IReadOnlyList<StoreBackup> mine)
    {
        var before = schedule.Status ?? new StoreBackupScheduleStatus();
        var active = mine.Where(backup => !Ended(backup)).Select(backup => backup.Metadata.Name).Order(StringComparer.Ordinal).ToList();
        return before with
        {
            ObservedGeneration = schedule.Metadata.Generation,
            Active = active.Count > 0 ? active : null,
            LastScheduleTime = before.LastScheduleTime ?? mine.Max(TimeOf),
            LastSuccessfulTime = mine.Where(backup => backup.Status is { Phase: StoreBackupStatus.Succeeded }).Select(backup => backup.Status!.CompletedAt).Append(before.LastSuccessfulTime).Max(),
        };
    }

    /// <summary>The oldest of those that ended and are too many of their kind; names sort as times do.</summary>
    static StoreBackup? Old(StoreBackupSchedule schedule, IReadOnlyList<StoreBackup> mine)
    {
        if (schedule.Status?.SettledUntil is not { } settled) return null;
        var last = NameOf(schedule, settled);
        var limits = schedule.Spec.HistoryLimit;
        IEnumerable<StoreBackup> Beyond(string phase, int limit) => mine
            .Where(backup => backup.Status?.Phase == phase && backup.Metadata.DeletionTimestamp is null)
            .OrderByDescending(backup => backup.Metadata.Name, StringComparer.Ordinal).Skip(limit)
            .Where(backup => string.CompareOrdinal(backup.Metadata.Name, last) <= 0);
        return Beyond(StoreBackupStatus.Succeeded, limits.Succeeded).Concat(Beyond(StoreBackupStatus.Failed, limits.Failed)).MinBy(backup => backup.Metadata.Name, StringComparer.Ordinal);
    }

    static bool Ended(StoreBackup backup) => backup.Status is { Ended: true };

    static Verdict? Wrong(StoreBackupSchedule schedule, TimeZoneInfo? zone, out CronTimes? times)
    {
        times = null;
        // Its StoreBackups' names have 13 characters more.
        if (schedule.Metadata.Name.Length > 240) return new Verdict("False", "InvalidName", "metadata.name must be at most 240 characters: the names of StoreBackups are made from it");
        if (zone is null) return new Verdict("False", "UnknownTimeZone", $"spec.timeZone is \"{schedule.Spec.TimeZone}\", which the operator does not know; write an IANA name such as Europe/Lisbon, or UTC");
        (times, var wrong) = CronTimes.Parse(schedule.Spec.Schedule, zone);
        return wrong is null ? null : new Verdict("False", "InvalidSchedule", wrong);
    }

    /// <summary>Until the next time.</summary>
    /// <param name="said">What became of the last one, when it is worth saying; it stays said until another one is taken.</param>
    ScheduleRun Wait(StoreBackupSchedule schedule, CronTimes times, DateTime now, Verdict? said)
    {
        var next = times.After(Status.SettledUntil > now ? Status.SettledUntil.Value : now);
        var until = next is { } time && time - now < LongestRest ? time - now : LongestRest;
        var waiting = this with { Again = Again is { } sooner && sooner < until ? sooner : until };
        if (next is null) return waiting.Say(schedule, new Verdict("False", "NoMoreTimes", $"spec.schedule {schedule.Spec.Schedule} names no time in the future"), now, next);
        var kept = Create is null ? Kept(schedule) : null;
        return waiting.Say(schedule, said ?? kept ?? new Verdict("True", "Waiting", "the next one is taken at nextScheduleTime"), now, next);
    }

    /// <summary>What was skipped or missed last, as long as nothing was taken since.</summary>
    Verdict? Kept(StoreBackupSchedule schedule) =>
        schedule.Status?.InForce == Status.InForce && schedule.Status?.LastScheduleTime == Status.LastScheduleTime
        && schedule.Status?.Conditions?.FirstOrDefault(condition => condition.Type == ScheduledCondition) is { Reason: "Skipped" or "Missed" } before
            ? new Verdict(before.Status, before.Reason, before.Message)
            : null;

    ScheduleRun Say(StoreBackupSchedule schedule, Verdict verdict, DateTime now, DateTime? next) => this with
    {
        Status = Status with
        {
            NextScheduleTime = next,
            Conditions = [Conditions.Set(schedule.Status?.Conditions, ScheduledCondition, verdict, schedule.Metadata.Generation, now)],
        },
    };
}
