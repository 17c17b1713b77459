using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// A cluster over TLS on real pods, with certificates of the operator's own: formed, and then every certificate and every authority replaced, while a client
/// writes over connections that are a second old at most, and the leading operator is killed in the middle. No write may be lost or fail, and no container may be restarted.
/// </summary>
[Collection<KubernetesInstallation>]
public sealed class KubernetesTlsTests(KubernetesDemo demo, ITestOutputHelper output)
{
    const string Name = "sealed";

    [Fact]
    public async Task Certificates_and_authorities_are_replaced_and_no_write_fails()
    {
        demo.RequireKubernetes();
        // The right to Secrets is given for one namespace at a time.
        await Kubectl.RunAsync("create", "rolebinding", "store-operator-secrets", "--clusterrole=store-operator-secrets", "--serviceaccount=store-system:store-operator");
        await Kubectl.ApplyAsync($$"""
            apiVersion: storecluster.io/v1alpha1
            kind: StoreCluster
            metadata: {name: {{Name}}, namespace: default}
            spec:
              replicas: 3
              deletionPolicy: Delete
              storage: {size: 1Gi}
              tls: {client: {}, peer: {}, overlapSeconds: 20}
            """);
        try
        {
            var formed = Stopwatch.StartNew();
            await OperatedCluster.UntilAsync("three members that serve", OperatedCluster.Ready, Name);
            output.WriteLine($"Ready after {formed.Elapsed.TotalSeconds:0.0} s");
            await ReplaceUnderWritesAsync();
        }
        finally
        {
            await Kubectl.RunAsync("delete", "storecluster", Name, "--timeout=60s");
            await Kubectl.RunAsync("delete", "rolebinding", "store-operator-secrets");
        }
    }

    async Task ReplaceUnderWritesAsync()
    {
        var endpoint = new Uri(await demo.ClientEndpointAsync(Name));
        await using var files = await SecretFiles.OpenAsync($"{Name}-client-tls");
        await using var client = new WritingClient($"https://{Name}.default.svc:2379", () => files.Dial(endpoint.Host, endpoint.Port));
        var before = Serials(await OperatedCluster.UntilAsync("member that shows its certificate", AllLoaded, Name));
        var pods = await PodsAsync();
        var took = Stopwatch.StartNew();

        // New names for the leaves, which the old authority still signs, and with it new authorities.
        await Kubectl.RunAsync("patch", "storecluster", Name, "--type=merge", "-p", """{"spec": {"tls": {"rotate": "now", "extraSANs": ["store.example"]}}}""");
        await OperatedCluster.UntilAsync("announced authority", status => Phase(status, "client") == "Announcing", Name);
        await OperatedCluster.KillOperatorAsync();
        await OperatedCluster.UntilAsync("authority in use", status => Phase(status, "client") == "Reissuing", Name);
        output.WriteLine($"every member accepts the next authorities after {took.Elapsed.TotalSeconds:0} s");
        await OperatedCluster.KillOperatorAsync();
        await OperatedCluster.UntilAsync("authorities that were replaced", status => Rotated(status, "client") && Rotated(status, "peer") && AllLoaded(status) && OperatedCluster.Ready(status), Name);
        output.WriteLine($"replaced after {took.Elapsed.TotalSeconds:0} s; {client.Acknowledged} writes acknowledged, the longest pause between two of them {client.TakeLongestStall().TotalMilliseconds:0} ms");

        var after = Serials(await OperatedCluster.StatusAsync(Name));
        Assert.Equal(10, after.Count);
        Assert.All(after, pair => Assert.NotEqual(before[pair.Key], pair.Value));
        Assert.True(files.Versions >= 3, $"the application's Secret changed {files.Versions - 1} times");
        Assert.Equal(pods, await PodsAsync());
        Assert.True(client.Failures == 0, $"{client.Failures} writes failed, the last with {client.LastFailure}");
        await client.RequireAllAsync();
    }

    /// <summary>Each pod with how often its container was started.</summary>
    static Task<string> PodsAsync() =>
        Kubectl.RunAsync("get", "pods", "-l", $"storecluster.io/cluster={Name}", "-o", "jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[*].restartCount}{\"\\n\"}{end}");

    static bool AllLoaded(JsonElement status) => Certificates(status) is { Count: 10 } all
        && all.All(certificate => !certificate.TryGetProperty("loaded", out var loaded) || loaded.GetBoolean());

    static Dictionary<string, string> Serials(JsonElement status) =>
        Certificates(status).ToDictionary(certificate => certificate.GetProperty("name").GetString()!, certificate => certificate.GetProperty("serial").GetString()!, StringComparer.Ordinal);

    static List<JsonElement> Certificates(JsonElement status) =>
        status.TryGetProperty("tls", out var tls) && tls.TryGetProperty("certificates", out var certificates) ? [.. certificates.EnumerateArray()] : [];

    static string? Phase(JsonElement status, string side) => Side(status, side) is { } found && found.TryGetProperty("rotation", out var rotation) ? rotation.GetProperty("phase").GetString() : null;

    static bool Rotated(JsonElement status, string side) =>
        Side(status, side) is { } found && !found.TryGetProperty("rotation", out _) && found.TryGetProperty("rotated", out var request) && request.GetString() == "now";

    static JsonElement? Side(JsonElement status, string side) => status.TryGetProperty("tls", out var tls) && tls.TryGetProperty(side, out var found) ? found : null;
}
