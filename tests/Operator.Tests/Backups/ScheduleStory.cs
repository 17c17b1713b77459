using System.Globalization;
using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>Passes one after the other, each with what the one before wrote.</summary>
sealed class ScheduleStory(StoreBackupSchedule schedule, TimeZoneInfo? zone = null)
{
    readonly List<string> told = [];
    StoreBackupSchedule current = schedule with { Metadata = schedule.Metadata };

    /// <summary>Names, in the order in which they were made.</summary>
    public List<string> Made { get; } = [];

    public List<StoreBackup> Backups { get; } = [];

    public V1Condition Condition => Assert.Single(current.Status!.Conditions!);

    public ScheduleRun Decide(DateTime now) => ScheduleRun.Decide(current, zone ?? TimeZoneInfo.Utc, Backups, now);

    /// <param name="ends">How a StoreBackup that is made ends, at once; not when null.</param>
    public ScheduleRun Pass(DateTime now, string? ends = null)
    {
        var run = Decide(now);
        if (run.Create is { } made)
        {
            Made.Add(made.Metadata.Name);
            Backups.Add(ends is null ? made : Ended(made, ends, now));
        }

        Write(run.Status);
        if (run.Delete is { } old) Backups.Remove(old);
        return run;
    }

    /// <summary>The API server does not take the StoreBackup.</summary>
    public void Refuse(DateTime now, string why) => Write(ScheduleRun.Refused(current, Decide(now).Create!, why, now));

    void Write(StoreBackupScheduleStatus status)
    {
        told.AddRange(ScheduleNews.Of(current, status, Backups).Select(news => $"{(news.Good ? "" : "! ")}{news.Reason}: {news.Note}"));
        current = current with { Status = status };
    }

    /// <summary>What became events since this was asked last; warnings with a mark.</summary>
    public IReadOnlyList<string> News()
    {
        IReadOnlyList<string> news = [.. told];
        told.Clear();
        return news;
    }

    public void Change(StoreBackupScheduleSpec spec) => current = current with { Spec = spec };

    /// <summary>Ends the one that is under way.</summary>
    public void End(string phase, DateTime at, string? message = null) => Backups[^1] = Ended(Backups[^1], phase, at, message);

    public static DateTime At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture).UtcDateTime;

    public static StoreBackup Ended(StoreBackup backup, string phase, DateTime at, string? message = null) => backup with { Status = new StoreBackupStatus { Phase = phase, CompletedAt = at, Message = message } };

    public static StoreBackupSchedule Nightly(string cron = "0 2 * * *", string created = "2026-11-23T10:00:00Z") => new()
    {
        Metadata = new V1ObjectMeta { Name = "nightly", NamespaceProperty = World.Namespace, Uid = "uid", CreationTimestamp = At(created) },
        Spec = new StoreBackupScheduleSpec { Cluster = "orders", Schedule = cron, TimeoutSeconds = 1800 },
    };
}
