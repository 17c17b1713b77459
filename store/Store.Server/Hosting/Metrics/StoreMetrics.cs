using System.Diagnostics.Metrics;

namespace Store.Server;

/// <summary>
/// What the parts of this process measure, under etcd's names (reference: etcd 3.6's /metrics). Static, as there is one member in a process. A counter
/// is a <see cref="Tally"/>, so that it is exported from the start, as etcd's are: alerts compare with zero.
/// </summary>
public static class StoreMetrics
{
    public const string MeterName = "etcd";

    internal static readonly Meter Meter = new(MeterName);

    static readonly double[] DiskBuckets = Exponential(0.001, 2, 14);

    public static readonly Histogram<double> WalFsyncSeconds = Histogram(
        "etcd_disk_wal_fsync_duration_seconds", "The latency distributions of fsync called by WAL.", DiskBuckets);

    public static readonly Histogram<double> WalWriteSeconds = Histogram(
        "etcd_disk_wal_write_duration_seconds", "The latency distributions of write called by WAL.", DiskBuckets);

    public static readonly Histogram<double> BackendCommitSeconds = Histogram(
        "etcd_disk_backend_commit_duration_seconds", "The latency distributions of commit called by backend.", DiskBuckets);

    public static readonly Histogram<double> BackendSnapshotSeconds = Histogram(
        "etcd_disk_backend_snapshot_duration_seconds", "The latency distribution of backend snapshots.", Exponential(0.01, 2, 17));

    /// <summary>Tag: To, the peer's id in hexadecimal.</summary>
    public static readonly Histogram<double> PeerRoundTripSeconds = Histogram(
        "etcd_network_peer_round_trip_time_seconds", "Round-Trip-Time histogram between peers", Exponential(0.0001, 2, 16));

    /// <summary>Tags: version, op, success.</summary>
    public static readonly Histogram<double> ApplySeconds = Histogram(
        "etcd_server_apply_duration_seconds", "The latency distributions of v2 apply called by backend.", Exponential(0.0001, 2, 20));

    public static readonly Histogram<double> HashRevisionSeconds = Histogram(
        "etcd_mvcc_hash_rev_duration_seconds", "The latency distribution of storage hash by revision operation.", Exponential(0.01, 2, 15));

    public static readonly Histogram<double> HashSeconds = Histogram(
        "etcd_mvcc_hash_duration_seconds", "The latency distribution of storage hash operation.", Exponential(0.01, 2, 15));

    public static readonly Histogram<double> LeaseTtlSeconds = Histogram(
        "etcd_debugging_lease_ttl_total", "Bucketed histogram of lease TTLs.", Exponential(1, 2, 24));

    public static readonly Tally WalWriteBytes = Gauge("etcd_disk_wal_write_bytes_total", "Total number of bytes written in WAL.");
    public static readonly Tally LeaderChanges = Counter("etcd_server_leader_changes_seen_total", "The number of leader changes seen.");
    public static readonly Tally ProposalsFailed = Counter("etcd_server_proposals_failed_total", "The total number of failed proposals seen.");
    public static readonly Tally ProposalsPending = Gauge("etcd_server_proposals_pending", "The current number of pending proposals to commit.");
    public static readonly Tally HeartbeatSendFailures = Counter("etcd_server_heartbeat_send_failures_total", "The total number of leader heartbeat send failures (likely overloaded from slow disk).");
    public static readonly Tally SlowApplies = Counter("etcd_server_slow_apply_total", "The total number of slow apply requests (likely overloaded from slow disk).");
    public static readonly Tally SlowReadIndexes = Counter("etcd_server_slow_read_indexes_total", "The total number of pending read indexes not in sync with leader's or timed out read index requests.");
    public static readonly Tally ReadIndexesFailed = Counter("etcd_server_read_indexes_failed_total", "The total number of failed read indexes seen.");
    public static readonly Tally LearnerPromotions = Counter("etcd_server_learner_promote_successes", "The total number of successful learner promotions while this member is leader.");
    public static readonly Tally SnapshotsApplying = Gauge("etcd_server_snapshot_apply_in_progress_total", "1 if the server is applying the incoming snapshot. 0 if none.");
    public static readonly Tally HealthSuccesses = Counter("etcd_server_health_success", "The total number of successful health checks");
    public static readonly Tally HealthFailures = Counter("etcd_server_health_failures", "The total number of failed health checks");
    public static readonly Tally ClientReceivedBytes = Counter("etcd_network_client_grpc_received_bytes_total", "The total number of bytes received from grpc clients.");
    public static readonly Tally ClientSentBytes = Counter("etcd_network_client_grpc_sent_bytes_total", "The total number of bytes sent to grpc clients.");
    public static readonly Tally Ranges = Counter("etcd_mvcc_range_total", "Total number of ranges seen by this member.");
    public static readonly Tally Puts = Counter("etcd_mvcc_put_total", "Total number of puts seen by this member.");
    public static readonly Tally Deletes = Counter("etcd_mvcc_delete_total", "Total number of deletes seen by this member.");
    public static readonly Tally Txns = Counter("etcd_mvcc_txn_total", "Total number of txns seen by this member.");
    public static readonly Tally LeasesGranted = Counter("etcd_debugging_lease_granted_total", "The total number of granted leases.");
    public static readonly Tally LeasesRevoked = Counter("etcd_debugging_lease_revoked_total", "The total number of revoked leases.");
    public static readonly Tally LeasesRenewed = Counter("etcd_debugging_lease_renewed_total", "The number of renewed leases seen by the leader.");
    public static readonly Tally LeasesExpired = Counter("etcd_debugging_server_lease_expired_total", "The total number of expired leases.");
    public static readonly Tally Watchers = Gauge("etcd_debugging_mvcc_watcher_total", "Total number of watchers.");
    public static readonly Tally WatchStreams = Gauge("etcd_debugging_mvcc_watch_stream_total", "Total number of watch streams.");
    public static readonly Tally SlowWatchers = Gauge("etcd_debugging_mvcc_slow_watcher_total", "Total number of unsynced slow watchers.");
    public static readonly Tally PendingEvents = Gauge("etcd_debugging_mvcc_pending_events_total", "Total number of pending events to be sent.");
    public static readonly Tally Events = Counter("etcd_debugging_mvcc_events_total", "Total number of events sent by this member.");

    /// <summary>Tag: To.</summary>
    public static readonly Counter<long> PeerSentBytes = Meter.CreateCounter<long>("etcd_network_peer_sent_bytes_total", null, "The total number of bytes sent to peers.");

    /// <summary>Tag: From.</summary>
    public static readonly Counter<long> PeerReceivedBytes = Meter.CreateCounter<long>("etcd_network_peer_received_bytes_total", null, "The total number of bytes received from peers.");

    /// <summary>Tag: To.</summary>
    public static readonly Counter<long> PeerSentFailures = Meter.CreateCounter<long>("etcd_network_peer_sent_failures_total", null, "The total number of send failures from peers.");

    /// <summary>Tags: Local, Remote.</summary>
    public static readonly UpDownCounter<long> ActivePeers = Meter.CreateUpDownCounter<long>("etcd_network_active_peers", null, "The current number of active peer connections.");

    /// <summary>Tags: Local, Remote.</summary>
    public static readonly Counter<long> DisconnectedPeers = Meter.CreateCounter<long>("etcd_network_disconnected_peers_total", null, "The total number of disconnected peers.");

    /// <summary>Tag: To.</summary>
    public static readonly Counter<long> SnapshotsSent = Meter.CreateCounter<long>("etcd_network_snapshot_send_success", null, "Total number of successful snapshot sends");

    /// <summary>Tag: To.</summary>
    public static readonly Counter<long> SnapshotSendFailures = Meter.CreateCounter<long>("etcd_network_snapshot_send_failures", null, "Total number of snapshot send failures");

    /// <summary>Tag: From.</summary>
    public static readonly Counter<long> SnapshotsReceived = Meter.CreateCounter<long>("etcd_network_snapshot_receive_success", null, "Total number of successful snapshot receives");

    /// <summary>Tag: From.</summary>
    public static readonly Counter<long> SnapshotReceiveFailures = Meter.CreateCounter<long>("etcd_network_snapshot_receive_failures", null, "Total number of snapshot receive failures");

    /// <summary>Prometheus' exponential buckets.</summary>
    internal static double[] Exponential(double start, double factor, int count)
    {
        var buckets = new double[count];
        for (var i = 0; i < count; i++, start *= factor) buckets[i] = start;
        return buckets;
    }

    internal static Histogram<double> Histogram(string name, string help, double[] buckets) =>
        Meter.CreateHistogram<double>(name, null, help, null, new() { HistogramBucketBoundaries = buckets });

    static Tally Counter(string name, string help)
    {
        var tally = new Tally();
        Meter.CreateObservableCounter(name, () => tally.Value, null, help);
        return tally;
    }

    static Tally Gauge(string name, string help)
    {
        var tally = new Tally();
        Meter.CreateObservableGauge(name, () => tally.Value, null, help);
        return tally;
    }
}

/// <summary>A number that any thread may move.</summary>
public sealed class Tally
{
    long value;

    public long Value => Volatile.Read(ref value);

    public void Add(long amount = 1) => Interlocked.Add(ref value, amount);

    public void Set(long amount) => Volatile.Write(ref value, amount);
}
