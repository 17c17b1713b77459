using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A cluster that serves is taken back to a moment, in place.</summary>
[Collection<KubernetesInstallation>]
public sealed class KubernetesRestoreTests(KubernetesDemo demo, ITestOutputHelper output)
{
    const string Name = "turned", Back = "turned-back", Secret = "turned-backup";

    static readonly TimeSpan Soon = TimeSpan.FromMinutes(2);

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_cluster_goes_back_to_a_moment_in_place_while_the_operator_is_killed()
    {
        demo.RequireKubernetes();
        await using var bucket = await ObjectServer.StartAsync();
        try
        {
            await Kubectl.RunAsync("create", "secret", "generic", Secret, "--from-literal=access-key-id=test", "--from-literal=secret-access-key=testsecret", $"--from-literal=key={new string('7', 64)}");
            await ApplyAsync(bucket);
            var before = await OperatedCluster.UntilAsync("members that serve", OperatedCluster.Ready, Name);
            var endpoint = await demo.ClientEndpointAsync(Name);
            await WriteAsync(endpoint, "first");
            await BackedUpAsync(await RevisionAsync(endpoint));
            var (earlier, moment) = (await ReadAllAsync(endpoint), DateTimeOffset.UtcNow);
            await WriteAsync(endpoint, "second");
            (await Etcdctl.RunAsync("3.5", endpoint, ["del", "key-3"])).Succeeded();
            var revision = await RevisionAsync(endpoint);

            var confirmed = await ConfirmAsync(moment);
            await PhaseAsync("Restoring");
            await OperatedCluster.KillOperatorAsync();
            Assert.Contains("what was there before is in the backups of cluster", await PhaseAsync("Succeeded"), StringComparison.Ordinal);
            output.WriteLine($"three members serve the state of {moment:u} {confirmed.Elapsed.TotalSeconds:0.0} s after it was confirmed");

            Assert.Equal((endpoint, earlier), (await demo.ClientEndpointAsync(Name), await ReadAllAsync(endpoint)));
            Assert.InRange(await RevisionAsync(endpoint), revision + 1_000_000_000, long.MaxValue);
            var watch = await Etcdctl.RunAsync("3.5", endpoint, ["watch", "key-3", $"--rev={revision}"]);
            Assert.Contains("required revision has been compacted", watch.Output + watch.Error, StringComparison.Ordinal);
            var after = await OperatedCluster.UntilAsync("fresh backup", status => OperatedCluster.Condition(status, "BackupReady") == "True", Name, within: Soon);
            Assert.NotEqual(before.GetProperty("clusterId").GetString(), after.GetProperty("clusterId").GetString());
            Assert.Equal([$"{Name}-4", $"{Name}-5", $"{Name}-6"], OperatedCluster.Members(after));
            Assert.Equal(3, (await Kubectl.GetAsync("pvc", "-l", $"storecluster.io/cluster={Name}")).GetProperty("items").GetArrayLength());
        }
        finally
        {
            await Kubectl.RunAsync("delete", "storerestore", Back, "--ignore-not-found");
            await Kubectl.RunAsync("delete", "storecluster", Name, "--ignore-not-found", "--timeout=60s");
            await Kubectl.RunAsync("delete", "secret", Secret, "--ignore-not-found");
        }
    }

    static Task ApplyAsync(ObjectServer bucket) => Kubectl.ApplyAsync($$"""
        apiVersion: storecluster.io/v1alpha1
        kind: StoreCluster
        metadata: {name: {{Name}}, namespace: default}
        spec:
          replicas: 3
          deletionPolicy: Delete
          storage: {size: 1Gi}
          backup:
            target: {s3: {bucket: {{bucket.Bucket}}, prefix: shop, endpoint: "{{bucket.Endpoint}}", pathStyle: true, credentialsSecret: {name: {{Secret}} } } }
            encryptionKeySecret: {name: {{Secret}} }
            rpo: 1m
        """);

    /// <summary>Asks for the moment, reads the words that confirm it, and says them.</summary>
    static async Task<Stopwatch> ConfirmAsync(DateTimeOffset moment)
    {
        await Kubectl.ApplyAsync($$"""
            apiVersion: storecluster.io/v1alpha1
            kind: StoreRestore
            metadata: {name: {{Back}}, namespace: default}
            spec: {cluster: {{Name}}, time: "{{moment.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}"}
            """);
        Assert.Contains($"set spec.confirm to {Name}@epoch=1", await PhaseAsync("AwaitingConfirmation"), StringComparison.Ordinal);
        await Kubectl.RunAsync("patch", "storerestore", Back, "--type=merge", "-p", $$"""{"spec": {"confirm": "{{Name}}@epoch=1"} }""");
        return Stopwatch.StartNew();
    }

    /// <returns>What the StoreRestore says when it has come so far.</returns>
    static async Task<string> PhaseAsync(string wanted)
    {
        var deadline = DateTime.UtcNow + Soon;
        while (true)
        {
            var restore = await Kubectl.GetAsync("storerestore", Back);
            var status = restore.TryGetProperty("status", out var told) ? told : JsonDocument.Parse("{}").RootElement;
            if (status.TryGetProperty("phase", out var phase) && phase.GetString() == wanted) return status.GetProperty("message").GetString()!;
            Assert.True(DateTime.UtcNow < deadline, $"not {wanted}: {status}");
            await Task.Delay(250, Stop);
        }
    }

    /// <summary>A write is of the moment at which an agent has it.</summary>
    static async Task BackedUpAsync(long revision)
    {
        var deadline = DateTime.UtcNow + Soon;
        while (JsonDocument.Parse(await Kubectl.RunAsync("get", "--raw", $"/api/v1/namespaces/default/pods/{Name}-1-0:2385/proxy/status")).RootElement.GetProperty("recoverableRevision").GetInt64() is var recoverable
            && recoverable < revision)
        {
            Assert.True(DateTime.UtcNow < deadline, $"revision {revision} was not backed up, only {recoverable}");
            await Task.Delay(250, Stop);
        }
    }

    static async Task WriteAsync(string endpoint, string value)
    {
        for (var key = 0; key < 8; key++) (await Etcdctl.RunAsync("3.5", endpoint, ["put", $"key-{key}", $"{value} {key}"])).Succeeded();
        (await Etcdctl.RunAsync("3.5", endpoint, ["put", value, value])).Succeeded();
    }

    static async Task<string> ReadAllAsync(string endpoint) => (await Etcdctl.RunAsync("3.5", endpoint, ["get", "", "--prefix"])).Succeeded().Output;

    static async Task<long> RevisionAsync(string endpoint)
    {
        var answer = (await Etcdctl.RunAsync("3.5", endpoint, ["get", "none", "-w", "json"])).Succeeded().Output;
        return long.Parse(JsonDocument.Parse(answer).RootElement.GetProperty("header").GetProperty("revision").ToString(), CultureInfo.InvariantCulture);
    }
}
