using System.Collections.Concurrent;
using Operator.Core;

namespace Operator.Controller;

/// <summary>One pass over a StoreBackup: look, decide, write status, ask.</summary>
sealed class StoreBackupController(KubeApi api, Caches caches, AgentClient agents, FullBackups backups, Fence fence, TimeProvider time) : IEntityController<StoreBackup>
{
    static readonly TimeSpan Running = TimeSpan.FromSeconds(2);
    static readonly TimeSpan Pending = TimeSpan.FromSeconds(10);

    readonly ConcurrentDictionary<ObjectKey, string> refusals = new();

    public async Task<Result> ReconcileAsync(StoreBackup entity, CancellationToken cancellation)
    {
        if (entity.Status is { Ended: true } || entity.Metadata.DeletionTimestamp is not null) return Result.Done;
        var (own, key) = (ObjectStore<StoreBackup>.KeyOf(entity), new ObjectKey(entity.Metadata.NamespaceProperty, entity.Status?.Cluster ?? entity.Spec.Cluster));
        var cluster = caches.Clusters.Get(key);
        var pods = caches.Pods.OwnedBy(key);
        var run = BackupRun.Decide(entity, cluster, await agents.AllAsync(key, pods, cancellation), time.GetUtcNow().UtcDateTime, refusals.GetValueOrDefault(own));
        if (run.Status != entity.Status)
        {
            if (await EntityStatus.WriteAsync(api, caches.Backups, fence, entity with { Status = run.Status }, cancellation) is { } unwritten) return unwritten;
        }

        if (run.Status.Ended) return Result.Done;
        if (run.Ask is { } member && cluster is not null && await backups.AskAsync(cluster, member, run.Status, pods, cancellation) is { } refused) return Result.Fail(refusals[own] = refused) with { Again = Pending };
        refusals.TryRemove(own, out _);
        return Result.After(run.Status.Phase == StoreBackupStatus.Running ? Running : Pending);
    }

    public void Forget(ObjectKey key) => refusals.TryRemove(key, out _);
}
