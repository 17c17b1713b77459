using System.Collections.Concurrent;
using k8s;
using Operator.Core;

namespace Operator.Controller;

/// <summary>One pass over a StoreBackupSchedule: decide, make a StoreBackup, write status, delete an old one.</summary>
sealed class StoreBackupScheduleController(KubeApi api, Caches caches, Fence fence, EventRecorder events, TimeProvider time) : IEntityController<StoreBackupSchedule>
{
    static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);

    /// <summary>What could not be deleted, by schedule.</summary>
    readonly ConcurrentDictionary<ObjectKey, string> undeleted = new();

    public async Task<Result> ReconcileAsync(StoreBackupSchedule entity, CancellationToken cancellation)
    {
        if (entity.Metadata.DeletionTimestamp is not null) return Result.Done;
        var (key, mine, now) = (ObjectStore<StoreBackupSchedule>.KeyOf(entity), caches.Backups.All.Where(backup => Owns(entity, backup)).ToList(), Now());
        var run = ScheduleRun.Decide(entity, ZoneOf(entity), mine, now, undeleted.GetValueOrDefault(key));
        var refused = run.Create is { } wanted ? await CreateAsync(wanted, cancellation) : null;
        var status = refused is null ? run.Status : ScheduleRun.Refused(entity, run.Create!, refused, now);
        if (KubernetesJson.Serialize(status) != KubernetesJson.Serialize(entity.Status ?? new StoreBackupScheduleStatus()))
        {
            if (await EntityStatus.WriteAsync(api, caches.Schedules, fence, entity with { Status = status }, cancellation) is { } unwritten) return unwritten;
            foreach (var news in ScheduleNews.Of(entity, status, mine)) Tell(entity, news);
        }

        if (refused is not null) return Result.Fail(refused);
        if (run.Delete is { } old && await DeleteAsync(old, cancellation) is { } unable) return Result.Fail(undeleted[key] = unable) with { Again = status.NextScheduleTime - now };
        undeleted.TryRemove(key, out _);
        return run.Again is { } again ? Result.After(again > Soon ? again : Soon) : Result.Done;
    }

    public void Forget(ObjectKey key) => undeleted.TryRemove(key, out _);

    /// <summary>One that exists is what was wanted: its name has the time in it.</summary>
    async Task<string?> CreateAsync(StoreBackup wanted, CancellationToken cancellation)
    {
        fence.Require();
        var answer = await api.CreateAsync(wanted, cancellation);
        if (answer.Value is { } made) caches.Backups.Upsert(made);
        return answer.Error is null or { Conflict: true } ? null : answer.Error.ToString();
    }

    async Task<string?> DeleteAsync(StoreBackup old, CancellationToken cancellation)
    {
        fence.Require();
        var error = await api.DeleteAsync<StoreBackup>(ObjectStore<StoreBackup>.KeyOf(old), old.Metadata.Uid, cancellation);
        if (error is not (null or { NotFound: true } or { Conflict: true })) return $"StoreBackup {old.Metadata.Name} could not be deleted: {error}";
        caches.Backups.Remove(old);
        return null;
    }

    void Tell(StoreBackupSchedule schedule, ScheduleNews news)
    {
        if (news.Good) events.Normal(schedule, news.Reason, news.Note);
        else events.Warning(schedule, news.Reason, news.Note);
    }

    static bool Owns(StoreBackupSchedule schedule, StoreBackup backup) =>
        backup.Metadata.NamespaceProperty == schedule.Metadata.NamespaceProperty && backup.Metadata.OwnerReferences?.Any(owner => owner.Uid == schedule.Metadata.Uid) == true;

    /// <summary>Null when it is none that has an IANA name: what another operator's machine may call otherwise is not taken.</summary>
    static TimeZoneInfo? ZoneOf(StoreBackupSchedule schedule) => TimeZoneInfo.TryFindSystemTimeZoneById(schedule.Spec.TimeZone, out var zone) && zone.HasIanaId ? zone : null;

    /// <summary>As Kubernetes writes times: to the second.</summary>
    DateTime Now()
    {
        var now = time.GetUtcNow().UtcDateTime;
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
    }
}
