using System.Diagnostics.Metrics;

namespace Store.Agent;

/// <summary>What Prometheus sees of the agent. Every figure is one that an alert or a graph asks for.</summary>
static class AgentMetrics
{
    public const string MeterName = "Store.Agent";
    static readonly Meter Meter = new(MeterName);

    public static readonly Counter<long> Failures = Meter.CreateCounter<long>("store_backup_failures_total", null, "Attempts that failed, by reason");

    static readonly Counter<long> Taken = Meter.CreateCounter<long>("store_backup_taken_total", null, "Backups taken by this agent, by kind");
    static readonly Counter<long> StoredBytes = Meter.CreateCounter<long>("store_backup_stored_bytes_total", null, "Bytes stored by this agent, by kind");
    static readonly Histogram<double> Seconds = Meter.CreateHistogram<double>(
        "store_backup_duration_seconds", null, "From the request to the published manifest, by kind", null,
        new() { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800] });

    public static void Took(Manifest taken, TimeSpan took)
    {
        var kind = new KeyValuePair<string, object?>("kind", taken.IsFull ? "full" : "delta");
        Taken.Add(1, kind);
        StoredBytes.Add(taken.StoredBytes, kind);
        Seconds.Record(took.TotalSeconds, kind);
    }

    /// <summary>Gauges without a value are not there: an absent one is not an old one.</summary>
    public static void Observe(AgentState state, TimeProvider time)
    {
        Gauge("store_backup_recoverable_timestamp_seconds", "Everything acknowledged before can be restored", () => Seconds1970(state.Status.RecoverableTo));
        Gauge("store_backup_recoverable_age_seconds", "How far the newest recoverable moment lies back", () => (time.GetUtcNow() - state.Status.RecoverableTo)?.TotalSeconds);
        Gauge("store_backup_recoverable_from_timestamp_seconds", "The oldest full backup", () => Seconds1970(state.Status.RecoverableFrom));
        Gauge("store_backup_recoverable_revision", "The newest recoverable revision", () => state.Status.RecoverableTo is null ? null : state.Status.RecoverableRevision);
        Gauge("store_backup_last_full_timestamp_seconds", "The newest full backup", () => Seconds1970(state.Status.LastFull?.Time));
        Gauge("store_backup_last_full_size_bytes", "Its content", () => state.Status.LastFull?.Bytes);
        Gauge("store_backup_last_full_stored_bytes", "Its objects", () => state.Status.LastFull?.StoredBytes);
        Gauge("store_backup_fulls", "Full backups at the location", () => state.Status.Fulls);
        Gauge("store_backup_deltas", "Deltas at the location", () => state.Status.Deltas);
        Gauge("store_backup_unusable", "Listed backups that cannot be used", () => state.Status.Unusable.Count);
        Gauge("store_backup_turn", "1 at the agent whose turn it is", () => state.Status.Turn ? 1 : 0);
        Gauge("store_backup_drill_success", "1 when the last drill succeeded", () => state.Status.LastDrill is { } drill ? drill.Problem is null ? 1 : 0 : null);
        Gauge("store_backup_drill_timestamp_seconds", "The last drill", () => Seconds1970(state.Status.LastDrill?.At));
        Gauge("store_backup_drill_duration_seconds", "How long it took to restore", () => state.Status.LastDrill?.Took.TotalSeconds);
    }

    static double? Seconds1970(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds() / 1000.0;

    static void Gauge(string name, string description, Func<double?> value) =>
        Meter.CreateObservableGauge(name, () => value() is { } known ? [new Measurement<double>(known)] : Array.Empty<Measurement<double>>(), null, description);
}
