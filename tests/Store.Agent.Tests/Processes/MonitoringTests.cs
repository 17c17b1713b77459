using System.Text.Json;
using EndToEnd.Tests;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>A real Prometheus (Debian's) that scrapes a real agent, labelled as the chart's PodMonitor does.</summary>
public sealed class MonitoringTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("agent-monitoring-");

    [Fact]
    public async Task Every_expression_of_the_dashboard_has_data()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var location = folder.CreateSubdirectory("backups").FullName;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled, flags: "--warmup-duration=0s");
        await using var agent = new AgentUnderTest(cluster[0].ClientUrl, location, Path.Combine(folder.FullName, "scratch"), "--drill-interval=1s");
        var labels = new { job = "backup/shop/orders", @namespace = "shop", cluster = "orders", pod = "orders-1-0" };
        var scrape = new { job_name = "backup", static_configs = new[] { new { targets = new[] { new Uri(agent.Url).Authority }, labels } } };
        await using var prometheus = await Prometheus.StartAsync([scrape], cancelled);
        await prometheus.UntilAsync("up", 1, cancelled);
        await agent.WaitAsync("a drill was held", status => status.TryGetProperty("lastDrill", out _), cancelled, async () =>
            await new KV.KVClient(cluster[0].Channel).PutAsync(new() { Key = ByteString.CopyFromUtf8("key") }, cancellationToken: cancelled));
        foreach (var expression in Expressions())
        {
            // As Grafana would send it, with everything chosen.
            var asked = expression.Replace("$__rate_interval", "10s", StringComparison.Ordinal).Replace("$namespace", ".*", StringComparison.Ordinal).Replace("$cluster", ".*", StringComparison.Ordinal);
            await prometheus.UntilAnyAsync(asked, cancelled);
        }
        await prometheus.UntilAsync("store_backup_drill_success", 1, cancelled);
    }

    static List<string> Expressions() =>
    [
        .. from panel in JsonDocument.Parse(File.ReadAllText(Path.Combine(Binaries.RepositoryRoot, "charts/store-operator/monitoring/dashboards/backups.json"))).RootElement.GetProperty("panels").EnumerateArray()
           from target in panel.GetProperty("targets").EnumerateArray()
           select target.GetProperty("expr").GetString()!,
    ];

    public void Dispose() => folder.Delete(recursive: true);
}
