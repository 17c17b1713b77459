using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Operator.Core;

namespace Operator.Controller;

/// <summary>What one operator knows of its StoreClusters: of each what its status says, and what the last pass over it saw. Another operator in the same process, as in tests, has its own.</summary>
sealed class ClusterMetrics(ObjectStore<StoreCluster> clusters, ObjectStore<StoreBackupSchedule> schedules)
{
    static readonly string[] Statuses = ["True", "False", "Unknown"];

    readonly ConcurrentDictionary<ObjectKey, double> rolloutRatios = new();

    public BackupMetrics Backups { get; } = new(schedules);

    /// <param name="ratio">Null when there are no pods, or the StoreCluster is gone.</param>
    public void RolledOut(ObjectKey cluster, double? ratio)
    {
        if (ratio is { } known) rolloutRatios[cluster] = known;
        else rolloutRatios.TryRemove(cluster, out _);
    }

    public void Export(Meter meter)
    {
        void Gauge(string name, string description, Func<StoreCluster, IEnumerable<(long Value, KeyValuePair<string, object?>[] Tags)>> measure) => meter.CreateObservableGauge(name, () => Each(measure), null, description);

        Gauge("storeoperator_cluster_info", "1, with the lowest version that runs and the id of the store", cluster => [(1, [Tag("version", cluster.Status?.Version ?? ""), Tag("cluster_id", cluster.Status?.ClusterId ?? "")])]);
        Gauge("storeoperator_cluster_desired_members", "Voting members that are wanted", cluster => [(cluster.Spec.Replicas, [])]);
        Gauge("storeoperator_cluster_ready_members", "Voting members that serve", cluster => [(cluster.Status?.ReadyMembers ?? 0, [])]);
        Gauge("storeoperator_cluster_members", "Members by role and state", MembersByRoleAndState);
        Gauge("storeoperator_cluster_blocked", "1 for each reason why something may not be done yet", cluster => (cluster.Status?.Blocked ?? []).DistinctBy(blocked => blocked.Reason).Select(blocked => (1L, new[] { Tag("reason", blocked.Reason) })));
        Gauge("storeoperator_certificate_expiry_timestamp_seconds", "When a certificate expires, by the Secret that holds it", cluster => Certificates(cluster, certificate => certificate.NotAfter));
        Gauge("storeoperator_certificate_renewal_timestamp_seconds", "When a certificate is to be renewed, by the Secret that holds it", cluster => Certificates(cluster, certificate => certificate.RenewAt));
        Gauge("storeoperator_cluster_condition", "1 for the status that a condition has, 0 for the others", ConditionsByStatus);
        meter.CreateObservableGauge("storeoperator_rollout_progress_ratio", Rollouts, null, "Pods of the wanted template, of all pods");
        Backups.Export(meter, measure => Each(cluster => measure(cluster) is { } value ? [(value, [])] : []));
    }

    IEnumerable<Measurement<long>> Each(Func<StoreCluster, IEnumerable<(long Value, KeyValuePair<string, object?>[] Tags)>> measure) =>
        from cluster in clusters.All
        from measured in measure(cluster)
        select new Measurement<long>(measured.Value,
            [Tag("namespace", cluster.Metadata.NamespaceProperty), Tag("cluster", cluster.Metadata.Name), .. measured.Tags]);

    IEnumerable<Measurement<double>> Rollouts() =>
        rolloutRatios.Select(rollout => new Measurement<double>(rollout.Value, Tag("namespace", rollout.Key.Namespace), Tag("cluster", rollout.Key.Name)));

    static IEnumerable<(long, KeyValuePair<string, object?>[])> MembersByRoleAndState(StoreCluster cluster) =>
        (cluster.Status?.Members ?? []).GroupBy(member => (Role: member.Role ?? "None", member.State))
            .Select(group => ((long)group.Count(), new[] { Tag("role", group.Key.Role), Tag("state", group.Key.State) }));

    static IEnumerable<(long, KeyValuePair<string, object?>[])> ConditionsByStatus(StoreCluster cluster) =>
        from condition in cluster.Status?.Conditions ?? []
        from status in Statuses
        select (condition.Status == status ? 1L : 0L, new[] { Tag("type", condition.Type), Tag("status", status) });

    static IEnumerable<(long, KeyValuePair<string, object?>[])> Certificates(StoreCluster cluster, Func<CertificateStatus, DateTime> when) =>
        (cluster.Status?.Tls?.Certificates ?? []).Select(certificate => (new DateTimeOffset(when(certificate).ToUniversalTime()).ToUnixTimeSeconds(), new[] { Tag("name", certificate.Name) }));

    static KeyValuePair<string, object?> Tag(string name, object? value) => new(name, value);
}
