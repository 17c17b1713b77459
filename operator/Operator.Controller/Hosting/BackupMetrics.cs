using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Operator.Core;

namespace Operator.Controller;

/// <summary>What the operator sees of backups. The agents' own metrics say more; these are there when no agent is.</summary>
sealed class BackupMetrics(ObjectStore<StoreBackupSchedule> schedules)
{
    readonly ConcurrentDictionary<ObjectKey, DateTime> recoverable = new();

    /// <param name="until">Null when nothing can be restored, or the StoreCluster is gone.</param>
    public void RecoverableUntil(ObjectKey cluster, DateTime? until)
    {
        if (until is { } known) recoverable[cluster] = known;
        else recoverable.TryRemove(cluster, out _);
    }

    /// <param name="each">Measures every StoreCluster.</param>
    public void Export(Meter meter, Func<Func<StoreCluster, long?>, IEnumerable<Measurement<long>>> each)
    {
        void Gauge(string name, string description, Func<StoreCluster, long?> value) => meter.CreateObservableGauge(name, () => each(value), null, description);

        // By the pass and not by status, which follows in steps of half an rpo.
        Gauge("storeoperator_backup_last_recoverable_timestamp_seconds", "Everything acknowledged before can be restored, by backups that were verified", cluster => Seconds1970(recoverable.TryGetValue(ObjectStore<StoreCluster>.KeyOf(cluster), out var until) ? until : null));
        Gauge("storeoperator_backup_rpo_seconds", "How far that may lie back: spec.backup.rpo", cluster => (long?)Rpo(cluster)?.TotalSeconds);
        Gauge("storeoperator_backup_last_full_timestamp_seconds", "The newest full backup", cluster => Seconds1970(cluster.Status?.Backup?.LastFull?.Time));
        Gauge("storeoperator_backup_last_full_size_bytes", "Its content", cluster => cluster.Status?.Backup?.LastFull?.Bytes);
        Gauge("storeoperator_backup_last_full_stored_bytes", "What is stored of it", cluster => cluster.Status?.Backup?.LastFull?.StoredBytes);
        Gauge("storeoperator_drill_success", "1 when the last drill passed", cluster => cluster.Status?.Backup?.LastDrill is { } drill ? drill.Passed ? 1 : 0 : null);
        Gauge("storeoperator_drill_last_success_timestamp_seconds", "The last drill that passed", cluster => Seconds1970(cluster.Status?.Backup?.LastPassedDrill));
        Gauge("storeoperator_drill_duration_seconds", "How long the last drill took", cluster => cluster.Status?.Backup?.LastDrill?.Seconds);
        meter.CreateObservableGauge("storeoperator_backup_schedule_scheduled", () => OfSchedules(Scheduled), null, "1 while a StoreBackupSchedule will have more backups taken, 0 when it cannot");
        meter.CreateObservableGauge("storeoperator_backup_schedule_last_success_timestamp_seconds", () => OfSchedules(schedule => Seconds1970(schedule.Status?.LastSuccessfulTime)), null, "When a backup of a StoreBackupSchedule last succeeded");
    }

    /// <summary>Nothing of one that is suspended: that is somebody's wish.</summary>
    static long? Scheduled(StoreBackupSchedule schedule) => schedule.Spec.Suspend ? null
        : schedule.Status?.Conditions?.FirstOrDefault(condition => condition.Type == ScheduleRun.ScheduledCondition) is { } condition ? condition.Status == "True" ? 1 : 0 : null;

    IEnumerable<Measurement<long>> OfSchedules(Func<StoreBackupSchedule, long?> measure) =>
        from schedule in schedules.All
        let value = measure(schedule)
        where value is not null
        select new Measurement<long>(value.Value, new("namespace", schedule.Metadata.NamespaceProperty), new("cluster", schedule.Spec.Cluster), new("schedule", schedule.Metadata.Name));

    static TimeSpan? Rpo(StoreCluster cluster) => cluster.Spec.Backup is { } backup ? Lifetime.Parse(backup.Rpo) : null;

    static long? Seconds1970(DateTime? time) => time is { } known ? new DateTimeOffset(known.ToUniversalTime()).ToUnixTimeSeconds() : null;
}
