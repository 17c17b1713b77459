using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Store.Server;

/// <summary>
/// OpenTelemetry's Prometheus exporter, told to leave etcd's names alone: it would append _total to counters that have none in etcd, and scope labels to
/// every series. Started before anything measures: what is recorded earlier is lost.
/// </summary>
static class MetricsExport
{
    public static MeterProvider Start()
    {
        ProcessMetrics.Observe();
        return Sdk.CreateMeterProviderBuilder()
            .AddMeter(StoreMetrics.MeterName)
            .AddPrometheusExporter(prometheus =>
            {
                prometheus.DisableTotalNameSuffixForCounters = true;
                prometheus.ScopeInfoEnabled = false;
                prometheus.TargetInfoEnabled = false;
                prometheus.ScrapeResponseCacheDurationMilliseconds = 0;
            })
            .Build();
    }
}
