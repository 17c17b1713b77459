using System.Diagnostics;
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
            await ObjectServer.CreateSecretAsync(Secret, "testsecret", '7');
            await ApplyAsync(bucket);
            var before = await OperatedCluster.UntilAsync("members that serve", OperatedCluster.Ready, Name);
            var endpoint = await demo.ClientEndpointAsync(Name);
            await BackedUpKeys.WriteAsync(endpoint, "first");
            await BackedUpKeys.BackedUpAsync(Name, endpoint, Soon);
            var (earlier, moment) = (await BackedUpKeys.ReadAllAsync(endpoint), DateTimeOffset.UtcNow);
            await BackedUpKeys.WriteAsync(endpoint, "second");
            (await Etcdctl.RunAsync("3.5", endpoint, ["del", "key-3"])).Succeeded();
            var revision = await BackedUpKeys.RevisionAsync(endpoint);

            var confirmed = await ConfirmAsync(moment);
            await PhaseAsync("Restoring");
            await OperatedCluster.KillOperatorAsync();
            Assert.Contains("what was there before is in the backups of cluster", await PhaseAsync("Succeeded"), StringComparison.Ordinal);
            output.WriteLine($"three members serve the state of {moment:u} {confirmed.Elapsed.TotalSeconds:0.0} s after it was confirmed");

            Assert.Equal((endpoint, earlier), (await demo.ClientEndpointAsync(Name), await BackedUpKeys.ReadAllAsync(endpoint)));
            Assert.InRange(await BackedUpKeys.RevisionAsync(endpoint), revision + 1_000_000_000, long.MaxValue);
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
            target: {{bucket.Target(Secret)}}
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
        var said = "";
        await Kubectl.UntilAsync(async () =>
        {
            var status = (await Kubectl.GetAsync("storerestore", Back)).TryGetProperty("status", out var told) ? told : default;
            if (status.ValueKind != JsonValueKind.Object || status.GetProperty("phase").GetString() != wanted) return $"not {wanted}: {status}";
            said = status.GetProperty("message").GetString()!;
            return null;
        }, Soon);
        return said;
    }
}
