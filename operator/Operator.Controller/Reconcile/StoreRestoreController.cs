using System.Collections.Concurrent;
using Operator.Core;

namespace Operator.Controller;

/// <summary>One pass over a StoreRestore: look, decide, write status, ask for the safety backup. What is done to the StoreCluster, its own pass does.</summary>
/// <param name="wake">Has the StoreCluster looked at.</param>
sealed class StoreRestoreController(KubeApi api, Caches caches, AgentClient agents, FullBackups backups, Fence fence, Action<ObjectKey> wake, EventRecorder events, TimeProvider time) : IEntityController<StoreRestore>
{
    static readonly TimeSpan UnderWay = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Waiting = TimeSpan.FromSeconds(10);

    readonly ConcurrentDictionary<ObjectKey, string> refusals = new();

    public async Task<Result> ReconcileAsync(StoreRestore entity, CancellationToken cancellation)
    {
        if (entity.Status is { Ended: true } || entity.Metadata.DeletionTimestamp is not null) return Result.Done;
        var (own, key) = (ObjectStore<StoreRestore>.KeyOf(entity), new ObjectKey(entity.Metadata.NamespaceProperty, entity.Spec.Cluster));
        var pods = caches.Pods.OwnedBy(key);
        var around = new RestoreSurroundings(
            caches.Clusters.Get(key), entity.Spec.Backup is { } named ? caches.Backups.Get(new ObjectKey(key.Namespace, named)) : null, OtherOf(entity), await agents.AllAsync(key, pods, cancellation))
        {
            Refused = refusals.GetValueOrDefault(own),
        };
        var run = RestoreRun.Decide(entity, around, time.GetUtcNow().UtcDateTime);
        if (run.Status != entity.Status)
        {
            if (await EntityStatus.WriteAsync(api, caches.Restores, fence, entity with { Status = run.Status }, cancellation) is { } unwritten) return unwritten;
            if (run.Status.Phase != entity.Status?.Phase) Tell(around.Cluster, entity, run.Status);
            if (run.Status.Phase == StoreRestoreStatus.Restoring) wake(key);
        }

        if (run.Status.Ended) return Result.Done;
        if (run.Ask is { } member && around.Cluster is { } cluster && await backups.AskAsync(cluster, member, run.Status.SafetyBackup!, pods, cancellation) is { } refused) return Result.Fail(refusals[own] = refused) with { Again = Waiting };
        refusals.TryRemove(own, out _);
        return Result.After(run.Status.UnderWay ? UnderWay : Waiting);
    }

    public void Forget(ObjectKey key) => refusals.TryRemove(key, out _);

    string? OtherOf(StoreRestore entity) => caches.Restores.All
        .Where(other => other.Status is { UnderWay: true } && other.Metadata.Uid != entity.Metadata.Uid && other.Spec.Cluster == entity.Spec.Cluster && other.Metadata.NamespaceProperty == entity.Metadata.NamespaceProperty)
        .Select(other => other.Metadata.Name).Order(StringComparer.Ordinal).FirstOrDefault();

    /// <summary>To the StoreCluster, as that is what people look at when it does not serve.</summary>
    void Tell(StoreCluster? cluster, StoreRestore restore, StoreRestoreStatus status)
    {
        if (cluster is null || !(status.UnderWay || status.Ended)) return;
        var message = $"StoreRestore {restore.Metadata.Name}: {status.Message}";
        if (status.Phase == StoreRestoreStatus.Failed) events.Warning(cluster, "RestoreFailed", message);
        else events.Normal(cluster, $"Restore{status.Phase}", message);
    }
}
