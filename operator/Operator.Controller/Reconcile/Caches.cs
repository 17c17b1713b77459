using k8s;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>What the operator watches: StoreClusters, and of everything else only what carries its label. Secrets and ConfigMaps are not among them.</summary>
sealed class Caches
{
    readonly List<IReflector> reflectors = [];

    /// <param name="changed">Is told the StoreCluster that a change concerns.</param>
    /// <param name="backupChanged">Is told the StoreBackup that changed.</param>
    /// <param name="scheduleChanged">Is told the StoreBackupSchedule that changed.</param>
    /// <param name="restoreChanged">Is told the StoreRestore that changed.</param>
    public Caches(KubeApi api, IReadOnlyList<string> namespaces, Action<ObjectKey> changed, Action<ObjectKey> backupChanged, Action<ObjectKey> scheduleChanged, Action<ObjectKey> restoreChanged, TimeProvider time, ILogger log)
    {
        // No namespace listed means all of them, with one watch a kind.
        foreach (var scope in namespaces.Count == 0 ? [null] : namespaces.Select(name => (string?)name))
        {
            void Watch<T>(ObjectStore<T> store, string? labels) where T : class, IKubernetesObject<V1ObjectMeta> =>
                reflectors.Add(new Reflector<T>(api, scope, labels, store, changed, time, log));

            Watch(Clusters, labels: null);
            reflectors.Add(new Reflector<StoreBackup>(api, scope, labels: null, Backups, backupChanged, time, log));
            reflectors.Add(new Reflector<StoreBackupSchedule>(api, scope, labels: null, Schedules, scheduleChanged, time, log));
            reflectors.Add(new Reflector<StoreRestore>(api, scope, labels: null, Restores, restoreChanged, time, log));
            Watch(StatefulSets, Labels.ManagedByOperator);
            Watch(Pods, Labels.ManagedByOperator);
            Watch(Claims, Labels.ManagedByOperator);
            Watch(Services, Labels.ManagedByOperator);
            Watch(Budgets, Labels.ManagedByOperator);
        }
    }

    public ObjectStore<StoreCluster> Clusters { get; } = new(cluster => ObjectStore<StoreCluster>.KeyOf(cluster));
    public ObjectStore<StoreBackup> Backups { get; } = new(backup => ObjectStore<StoreBackup>.KeyOf(backup));
    public ObjectStore<StoreBackupSchedule> Schedules { get; } = new(schedule => ObjectStore<StoreBackupSchedule>.KeyOf(schedule));
    public ObjectStore<StoreRestore> Restores { get; } = new(restore => ObjectStore<StoreRestore>.KeyOf(restore));
    public ObjectStore<V1StatefulSet> StatefulSets { get; } = new(ByLabel);
    public ObjectStore<V1Pod> Pods { get; } = new(ByLabel);
    public ObjectStore<V1PersistentVolumeClaim> Claims { get; } = new(ByLabel);
    public ObjectStore<V1Service> Services { get; } = new(ByLabel);
    public ObjectStore<V1PodDisruptionBudget> Budgets { get; } = new(ByLabel);

    public IReadOnlyList<IReflector> Reflectors => reflectors;

    public Task Synced => Task.WhenAll(reflectors.Select(reflector => reflector.Synced));

    public Task RunAsync(CancellationToken cancellation) => Task.WhenAll(reflectors.Select(reflector => reflector.RunAsync(cancellation)));

    static ObjectKey? ByLabel(IKubernetesObject<V1ObjectMeta> item) =>
        item.Metadata.Labels is { } labels && labels.TryGetValue(Labels.Cluster, out var cluster)
            ? new ObjectKey(item.Metadata.NamespaceProperty, cluster)
            : null;
}
