using System.Diagnostics.Metrics;
using Store.State;

namespace Store.Server;

/// <summary>Gauges that are read off the member's state when somebody looks.</summary>
static class ReplicaMetrics
{
    public static void Observe(ServerOptions options, MemberIdentity identity, ReplicaLoop loop, Func<EngineSize> size)
    {
        var id = identity.MemberId.ToString();
        Gauge("etcd_server_has_leader", "Whether or not a leader exists. 1 is existence, 0 is not.", () => loop.HasLeader ? 1 : 0);
        Gauge("etcd_server_is_leader", "Whether or not this member is a leader. 1 if is, 0 otherwise.", () => loop.IsLeader ? 1 : 0);
        Gauge("etcd_server_is_learner", "Whether or not this member is a learner. 1 if is, 0 otherwise.", () => loop.IsLearner ? 1 : 0);
        Gauge("etcd_server_proposals_committed_total", "The total number of consensus proposals committed.", () => (long)loop.Status.Commit.Value);
        Gauge("etcd_server_proposals_applied_total", "The total number of consensus proposals applied.", () => (long)loop.View.Applied.Value);
        Gauge("etcd_server_quota_backend_bytes", "Current backend storage quota size in bytes.", () => options.QuotaBytes);
        Gauge("etcd_mvcc_db_total_size_in_bytes", "Total size of the underlying database physically allocated in bytes.", () => size().AllocatedBytes);
        Gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "Total size of the underlying database logically in use in bytes.", () => size().InUseBytes);
        Gauge("etcd_mvcc_db_open_read_transactions", "The number of currently open read transactions", () => 0);
        Gauge("etcd_debugging_mvcc_current_revision", "The current revision of store.", () => loop.View.Revision.Value);
        Gauge("etcd_debugging_mvcc_compact_revision", "The revision of the last compaction in store.", () => loop.View.Compacted.Value);
        Gauge("etcd_debugging_mvcc_keys_total", "Total number of keys.", () => loop.View.KeyCount);
        Gauge("etcd_debugging_mvcc_total_put_size_in_bytes", "The total size of put kv pairs seen by this member.", () => loop.View.LiveBytes);
        Gauge("etcd_debugging_auth_revision", "The current revision of auth store.", () => (long)loop.View.Auth.Revision);
        Gauge("etcd_disk_defrag_inflight", "Whether or not defrag is active on the member. 1 means active, 0 means not.", () => 0);

        Constant("etcd_server_id", "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.", new("server_id", id));
        Constant("etcd_server_version", "Which version is running. 1 for 'server_version' label with current version.", new("server_version", ServerVersion.Etcd));
        Constant("etcd_server_go_version", "Which Go version server is running with. 1 for 'server_go_version' label with current version.", new("server_go_version", $"dotnet{Environment.Version}"));
        Constant("storecluster_build_info", "The store's own version, always 1.", new("version", ServerVersion.Own));

        StoreMetrics.Meter.CreateObservableGauge("etcd_cluster_version", () => ClusterVersion(loop), null, "Which version is running. 1 for 'cluster_version' label with current cluster version");
        StoreMetrics.Meter.CreateObservableGauge("etcd_debugging_server_alarms", () => Alarms(loop), null, "Alarms for every member in cluster. 1 for 'server_id' label with current ID. 2 for 'alarm_type' label with type of this alarm");
        StoreMetrics.Meter.CreateObservableGauge("etcd_network_known_peers", () => KnownPeers(loop, id), null, "The current number of known peers.");
    }

    static void Gauge(string name, string help, Func<long> value) => StoreMetrics.Meter.CreateObservableGauge(name, value, null, help);

    static void Constant(string name, string help, KeyValuePair<string, object?> label) =>
        StoreMetrics.Meter.CreateObservableGauge(name, () => new Measurement<long>(1, label), null, help);

    static IEnumerable<Measurement<long>> ClusterVersion(ReplicaLoop loop) =>
        loop.View.Cluster.Version is { Length: > 0 } version ? [new(1, new KeyValuePair<string, object?>("cluster_version", version[..version.LastIndexOf('.')]))] : [];

    static IEnumerable<Measurement<long>> Alarms(ReplicaLoop loop) => loop.View.Cluster.Alarms.Select(alarm => new Measurement<long>(
        1, new("server_id", alarm.MemberID.ToString("x")), new("alarm_type", alarm.Alarm.ToString().ToUpperInvariant())));

    static IEnumerable<Measurement<long>> KnownPeers(ReplicaLoop loop, string local) => loop.View.Cluster.Members.Keys
        .Select(id => id.ToString()).Where(id => id != local).Select(id => new Measurement<long>(1, new("Local", local), new("Remote", id)));
}
