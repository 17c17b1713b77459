using System.Globalization;
using System.Text.Json;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// The main job on a real Kubernetes (issue: `make demo`), and what is left running by it: seen by kubectl, and scraped by a real Prometheus.
/// </summary>
[Collection<KubernetesInstallation>]
public sealed class KubernetesDemoTests(KubernetesDemo demo, ITestOutputHelper output)
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void The_demo_writes_and_reads_a_key_through_the_service_and_heals_a_deleted_pod()
    {
        demo.RequireKubernetes();
        Assert.Contains("hello from StoreCluster", demo.Output, StringComparison.Ordinal);
        Assert.Contains("A pod deleted, and healed", demo.Output, StringComparison.Ordinal);
        Assert.Contains("Left running", demo.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sample_is_ready_90_seconds_after_it_is_applied()
    {
        demo.RequireKubernetes();
        const string before = "  Ready ";
        var said = Assert.Single(demo.Output.Split('\n'), line => line.StartsWith(before, StringComparison.Ordinal) && line.EndsWith(" s after kubectl apply", StringComparison.Ordinal));
        output.WriteLine(said.Trim());
        Assert.InRange(int.Parse(said[before.Length..].Split(' ')[0], CultureInfo.InvariantCulture), 1, 89);
    }

    [Fact]
    public async Task The_status_tells_three_ready_members_and_one_leader()
    {
        demo.RequireKubernetes();
        var cluster = await Kubectl.GetAsync("-f", "crds/examples/storecluster.yaml");
        var status = cluster.GetProperty("status");
        Assert.Equal(3, status.GetProperty("readyMembers").GetInt32());
        Assert.Equal(3, status.GetProperty("members").GetArrayLength());
        Assert.Equal(cluster.GetProperty("metadata").GetProperty("generation").GetInt64(), status.GetProperty("observedGeneration").GetInt64());
        var names = status.GetProperty("members").EnumerateArray().Select(member => member.GetProperty("name").GetString());
        Assert.Contains(status.GetProperty("leader").GetString(), names);
        Assert.All(["Ready", "Available"], type => Assert.Equal("True", Condition(status, type)));
    }

    [Fact]
    public async Task Prometheus_scrapes_the_operator_and_every_member()
    {
        demo.RequirePodAddresses();
        await using var prometheus = await Prometheus.StartAsync(await Kubectl.GetAsync("pods", "-A"), Stop);
        await prometheus.UntilAsync("count(up{job=~\"etcd/.*\"} == 1)", 3, Stop);
        await prometheus.UntilAsync("count(up{job=\"store-operator\"} == 1) >= bool 1", 1, Stop);
        await prometheus.UntilAsync("sum(etcd_server_has_leader{job=~\"etcd/.*\"})", 3, Stop);
        await prometheus.UntilAsync("sum(etcd_server_is_leader{job=~\"etcd/.*\"})", 1, Stop);
        await prometheus.UntilAsync("max(storeoperator_cluster_condition{type=\"Ready\",status=\"True\"})", 1, Stop);
    }

    [Fact]
    public async Task Prometheus_has_nothing_against_the_operators_metrics()
    {
        demo.RequireKubernetes();
        var pods = (await Kubectl.GetAsync("pods", "-n", "store-system")).GetProperty("items").EnumerateArray().Select(pod => pod.GetProperty("metadata").GetProperty("name").GetString());
        foreach (var pod in pods)
            Assert.Empty(await Promtool.CheckMetricsAsync(await Kubectl.RunAsync("get", "--raw", $"/api/v1/namespaces/store-system/pods/{pod}:8080/proxy/metrics")));
    }

    [Fact]
    public async Task Every_expression_of_the_dashboards_has_data()
    {
        demo.RequirePodAddresses();
        await using var prometheus = await Prometheus.StartAsync(await Kubectl.GetAsync("pods", "-A"), Stop);
        await prometheus.UntilAsync("count(up{job=~\"etcd/.*\"} == 1)", 3, Stop);
        var panels = from file in Directory.GetFiles(Path.Combine(Binaries.RepositoryRoot, "charts/store-operator/monitoring/dashboards"), "*.json")
                     // The demo has no backups; those of theirs are asked in Store.Agent.Tests.
                     where Path.GetFileName(file) != "backups.json"
                     from panel in JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("panels").EnumerateArray()
                     from target in panel.GetProperty("targets").EnumerateArray()
                     select target.GetProperty("expr").GetString()!;
        foreach (var expression in panels.ToList())
        {
            // As Grafana would send it, with everything chosen.
            var asked = expression.Replace("$__rate_interval", "10s", StringComparison.Ordinal).Replace("$namespace", ".*", StringComparison.Ordinal)
                .Replace("$cluster", ".*", StringComparison.Ordinal).Replace("$job", "etcd/.*", StringComparison.Ordinal);
            await prometheus.UntilAnyAsync(asked, Stop);
        }
    }

    [Fact]
    public async Task An_invalid_StoreCluster_is_refused_by_the_schema()
    {
        demo.RequireKubernetes();
        var applied = await Kubectl.FileAsync("apply", """
            apiVersion: storecluster.io/v1alpha1
            kind: StoreCluster
            metadata: {name: invalid, namespace: default}
            spec: {replicas: -3}
            """);
        Assert.NotEqual(0, applied.ExitCode);
        Assert.Contains("spec.replicas", applied.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_that_cannot_be_pulled_shows_in_a_condition()
    {
        demo.RequireKubernetes();
        await Kubectl.ApplyAsync("""
            apiVersion: storecluster.io/v1alpha1
            kind: StoreCluster
            metadata: {name: unpullable, namespace: default}
            spec:
              replicas: 1
              image: {repository: registry.invalid/store, tag: none}
              storage: {size: 1Gi}
              deletionPolicy: Delete
            """);
        try
        {
            var deadline = DateTime.UtcNow.AddSeconds(30);
            var seen = "";
            while (!seen.Contains("registry.invalid/store", StringComparison.Ordinal))
            {
                Assert.True(DateTime.UtcNow < deadline, $"no condition names the image: {seen}");
                seen = await Kubectl.RunAsync("get", "storecluster", "unpullable", "-o", "jsonpath={.status.conditions}");
            }
        }
        finally
        {
            await Kubectl.RunAsync("delete", "storecluster", "unpullable", "--timeout=60s");
        }
    }

    static string? Condition(JsonElement status, string type) => status.GetProperty("conditions").EnumerateArray()
        .Where(condition => condition.GetProperty("type").GetString() == type)
        .Select(condition => condition.GetProperty("status").GetString())
        .SingleOrDefault();
}
