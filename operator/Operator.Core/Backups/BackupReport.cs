namespace Operator.Core;

/// <summary>status.backup from what the agents say. It is what was seen, not what holds now: that is the condition's to judge.</summary>
static class BackupReport
{
    /// <summary>Null without spec.backup.</summary>
    public static BackupStatus? Build(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Spec.Backup is not { } backup) return null;
        var before = view.Status.Backup;
        if (Newest(view) is not { } newest) return before;
        var drill = Drill(view);
        var fresh = new BackupStatus
        {
            Location = newest.Location,
            RecoverableFrom = Seconds(newest.RecoverableFrom),
            RecoverableUntil = Seconds(newest.RecoverableTo),
            RecoverableRevision = newest.RecoverableTo is null ? null : newest.RecoverableRevision,
            Fulls = newest.Fulls,
            LastFull = newest.LastFull is { } full
                ? new FullBackupStatus { Id = full.Id, Revision = full.Revision, Time = Seconds(full.Time)!.Value, Bytes = full.Bytes, StoredBytes = full.StoredBytes }
                : null,
            LastDrill = drill,
            LastPassedDrill = drill is { Passed: true } ? drill.Time : before?.LastPassedDrill,
        };
        return IsNews(before, fresh, backup) ? fresh : before;
    }

    /// <summary>Who knows of the most; where all know the same, the member with the lowest number.</summary>
    public static AgentReport? Newest(ClusterView view) => Agents(view).MaxBy(agent => agent.RecoverableTo ?? DateTimeOffset.MinValue);

    /// <summary>An agent forgets its drill when it restarts; status does not.</summary>
    public static DrillStatus? Drill(ClusterView view)
    {
        var before = view.Status.Backup?.LastDrill;
        if (Agents(view).Select(agent => agent.LastDrill).OfType<AgentDrill>().MaxBy(drill => drill.At) is not { } last || Seconds(last.At) <= before?.Time) return before;
        return new DrillStatus { Time = Seconds(last.At)!.Value, Passed = last.Problem is null, Revision = last.Revision, Seconds = (long)last.Took.TotalSeconds, Message = last.Problem };
    }

    static IEnumerable<AgentReport> Agents(ClusterView view) => view.Agents.ByNumber().Select(pair => pair.Value);

    /// <summary>The recoverable moment moves all the time, also where nothing is written: by itself it is news only when it has moved far, or back.</summary>
    static bool IsNews(BackupStatus? before, BackupStatus fresh, BackupSpec backup)
    {
        if (before is null || before with { RecoverableUntil = fresh.RecoverableUntil, RecoverableRevision = fresh.RecoverableRevision } != fresh) return true;
        if (before.RecoverableUntil is not { } told || fresh.RecoverableUntil is not { } until) return before.RecoverableUntil != fresh.RecoverableUntil;
        return until < told || until - told >= Lifetime.Parse(backup.Rpo) / 2;
    }

    static DateTime? Seconds(DateTimeOffset? time) => time is { UtcTicks: var ticks } ? new DateTime(ticks - ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc) : null;
}
