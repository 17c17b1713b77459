using k8s.Models;

namespace Operator.Core;

/// <summary>What people are told of a StoreBackupSchedule, as events. It is the change of its status that tells, so each thing is told once.</summary>
/// <param name="Good">It is as wanted.</param>
public sealed record ScheduleNews(bool Good, string Reason, string Note)
{
    /// <summary>What cannot be done is tried again, with other words each time: as long as it is for the same reason, it is no news.</summary>
    static readonly HashSet<string> TriedAgain = new(StringComparer.Ordinal) { "NotMade", "NotDeleted" };

    /// <param name="schedule">With its status as it was.</param>
    /// <param name="now">As it is.</param>
    /// <param name="mine">The StoreBackups that it owns.</param>
    public static IReadOnlyList<ScheduleNews> Of(StoreBackupSchedule schedule, StoreBackupScheduleStatus now, IReadOnlyList<StoreBackup> mine)
    {
        var before = schedule.Status ?? new StoreBackupScheduleStatus();
        var made = now.LastScheduleTime is { } time && time != before.LastScheduleTime ? ScheduleRun.NameOf(schedule, time) : null;
        var ended = mine.Where(backup => backup.Status is { Ended: true } && now.Active?.Contains(backup.Metadata.Name) != true)
            .Where(backup => backup.Metadata.Name == made || before.Active?.Contains(backup.Metadata.Name) == true);
        return
        [
            .. made is null ? [] : new[] { new ScheduleNews(Good: true, "BackupCreated", $"StoreBackup {made} was made, for {now.LastScheduleTime:u}") },
            .. ended.Select(Ended),
            .. Said(now) is { } said && Said(before) is var last && IsNews(said, last) ? new[] { Told(said) } : [],
        ];
    }

    static ScheduleNews Ended(StoreBackup backup) => backup.Status!.Phase == StoreBackupStatus.Succeeded
        ? new(Good: true, "BackupSucceeded", $"StoreBackup {backup.Metadata.Name} succeeded")
        : new(Good: false, "BackupFailed", $"StoreBackup {backup.Metadata.Name} failed: {backup.Status.Message}");

    static bool IsNews(V1Condition said, V1Condition? last) => said.Reason != "Waiting" && (said.Reason != last?.Reason || (said.Message != last?.Message && !TriedAgain.Contains(said.Reason)));

    static ScheduleNews Told(V1Condition said) => new(said.Reason == "Suspended", said.Reason is "Missed" or "Skipped" or "NotMade" or "NotDeleted" ? $"Backup{said.Reason}" : said.Reason, said.Message);

    static V1Condition? Said(StoreBackupScheduleStatus status) => status.Conditions?.FirstOrDefault(condition => condition.Type == ScheduleRun.ScheduledCondition);
}
