using System.Text.RegularExpressions;
using Xunit;

namespace Store.Server.Tests;

/// <summary>Reads Prometheus' text format and compares names, types and labels with what etcd's dashboards and alerts ask for.</summary>
static partial class PrometheusText
{
    static readonly (string Name, string Type)[] Expected =
    [
        ("etcd_server_has_leader", "gauge"),
        ("etcd_server_is_leader", "gauge"),
        ("etcd_server_leader_changes_seen_total", "counter"),
        ("etcd_server_proposals_committed_total", "gauge"),
        ("etcd_server_proposals_applied_total", "gauge"),
        ("etcd_server_proposals_pending", "gauge"),
        ("etcd_server_proposals_failed_total", "counter"),
        ("etcd_server_quota_backend_bytes", "gauge"),
        ("etcd_server_health_success", "counter"),
        ("etcd_server_learner_promote_successes", "counter"),
        ("etcd_server_id", "gauge"),
        ("etcd_server_version", "gauge"),
        ("etcd_mvcc_db_total_size_in_bytes", "gauge"),
        ("etcd_mvcc_db_total_size_in_use_in_bytes", "gauge"),
        ("etcd_debugging_mvcc_keys_total", "gauge"),
        ("etcd_disk_wal_fsync_duration_seconds", "histogram"),
        ("etcd_disk_backend_commit_duration_seconds", "histogram"),
        ("etcd_disk_wal_write_bytes_total", "gauge"),
        ("etcd_network_client_grpc_received_bytes_total", "counter"),
        ("etcd_network_client_grpc_sent_bytes_total", "counter"),
        ("grpc_server_started_total", "counter"),
        ("grpc_server_handled_total", "counter"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_open_fds", "gauge"),
        ("process_max_fds", "gauge"),
        ("process_cpu_seconds_total", "counter"),
        ("process_start_time_seconds", "gauge"),
        ("os_fd_used", "gauge"),
        ("os_fd_limit", "gauge"),
    ];

    public static void Check(string text)
    {
        var types = TypeLine().Matches(text).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value, StringComparer.Ordinal);
        Assert.All(Expected, metric => Assert.Equal((metric.Name, metric.Type), (metric.Name, types.GetValueOrDefault(metric.Name))));
        Assert.Contains("etcd_disk_wal_fsync_duration_seconds_bucket{le=\"0.001\"}", text, StringComparison.Ordinal);
        Assert.Contains("etcd_disk_wal_fsync_duration_seconds_bucket{le=\"8.192\"}", text, StringComparison.Ordinal);
        Assert.Matches("""grpc_server_started_total\{[^}]*grpc_method="Watch"[^}]*\}""", text);
        Assert.DoesNotContain("otel_scope", text, StringComparison.Ordinal);
        Assert.DoesNotContain("target_info", text, StringComparison.Ordinal);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != '#')) Assert.Matches(Sample(), line);
    }

    [GeneratedRegex(@"^# TYPE (\S+) (\S+)\r?$", RegexOptions.Multiline)]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="[^"]*"(,[a-zA-Z_][a-zA-Z0-9_]*="[^"]*")*)?\})? [-+0-9.eEINnfa]+( [0-9]+)?$""")]
    private static partial Regex Sample();
}
