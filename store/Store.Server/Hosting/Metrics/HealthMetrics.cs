using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Store.Server;

/// <summary>The newest outcome of each health check and how often it was asked.</summary>
static class HealthMetrics
{
    static readonly ConcurrentDictionary<(string Type, string Name), bool> Newest = [];

    static readonly Counter<long> Checks = StoreMetrics.Meter.CreateCounter<long>(
        "etcd_server_healthchecks_total", null, "The total number of each kind of healthcheck.");

    static HealthMetrics() => StoreMetrics.Meter.CreateObservableGauge(
        "etcd_server_healthcheck",
        () => Newest.Select(c => new Measurement<long>(c.Value ? 1 : 0, new("type", c.Key.Type), new KeyValuePair<string, object?>("name", c.Key.Name))),
        null,
        "The result of each kind of healthcheck.");

    public static void Record(string type, string name, bool healthy)
    {
        Newest[(type, name)] = healthy;
        Checks.Add(1, new("type", type), new("name", name), new("status", healthy ? "success" : "error"));
    }
}
