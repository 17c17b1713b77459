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
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        await using var agent = new AgentUnderTest(cluster[0].ClientUrl, location, Path.Combine(folder.FullName, "scratch"), "--drill-interval=1s");
        await using var prometheus = await Prometheus.StartAsync([Scrape(agent)], cancelled);
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

    /// <summary>With the shipped rule, but for 15 minutes that are 5 s here and a minute that is 2 s. No agent's own doing is hastened.</summary>
    [Fact]
    public async Task The_alert_of_backups_that_grow_old_fires_when_credentials_are_refused_and_ends_when_they_are_right_again()
    {
        const string alert = "StoreBackupStale";
        const string firing = $"count(ALERTS{{alertname=\"{alert}\",alertstate=\"firing\",namespace=\"shop\",cluster=\"orders\",severity=\"critical\"}}) or vector(0)";
        var cancelled = TestContext.Current.CancellationToken;
        await using var server = await S3Server.StartAsync(cancelled);
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        await using var agent = new AgentUnderTest(cluster[0].ClientUrl, server.LocationFlag, Path.Combine(folder.FullName, "scratch"), [.. server.Flags(server.Url)]);
        await using var prometheus = await Prometheus.StartAsync([Scrape(agent)], cancelled, HastenedRules.Of(alert, wait: "2s", threshold: ("> 900", "> 5")));
        using var writing = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        var writes = WriteAsync(cluster[0], writing.Token);
        await prometheus.UntilAsync("min(store_backup_recoverable_age_seconds) < bool 5", 1, cancelled);
        await prometheus.UntilAsync(firing, 0, cancelled);

        server.SetCredentials(areRight: false);
        await prometheus.UntilAsync(firing, 1, cancelled);
        Assert.Equal("Denied", (await agent.StatusAsync(cancelled)).GetProperty("lastFailure").GetProperty("failure").GetString());
        server.SetCredentials(areRight: true);
        await prometheus.UntilAsync(firing, 0, cancelled);
        await writing.CancelAsync();
        await writes;
    }

    /// <summary>Twenty times a second: what nobody writes needs no backup and does not grow old.</summary>
    static async Task WriteAsync(MemberProcess member, CancellationToken stop)
    {
        var keys = new KV.KVClient(member.Channel);
        while (!stop.IsCancellationRequested)
        {
            await keys.PutAsync(new() { Key = ByteString.CopyFromUtf8("key") }, cancellationToken: CancellationToken.None);
            await Task.WhenAny(Task.Delay(50, stop));
        }
    }

    static object Scrape(AgentUnderTest agent)
    {
        var labels = new { job = "backup/shop/orders", @namespace = "shop", cluster = "orders", pod = "orders-1-0" };
        return new { job_name = "backup", static_configs = new[] { new { targets = new[] { new Uri(agent.Url).Authority }, labels } } };
    }

    static List<string> Expressions() =>
    [
        .. from panel in JsonDocument.Parse(File.ReadAllText(Path.Combine(Binaries.RepositoryRoot, "charts/store-operator/monitoring/dashboards/backups.json"))).RootElement.GetProperty("panels").EnumerateArray()
           from target in panel.GetProperty("targets").EnumerateArray()
           let expression = target.GetProperty("expr").GetString()!
           // The operator's are those of MetricsTests and of KubernetesBackupTests.
           where !expression.Contains("storeoperator_", StringComparison.Ordinal)
           select expression,
    ];

    public void Dispose() => folder.Delete(recursive: true);
}
