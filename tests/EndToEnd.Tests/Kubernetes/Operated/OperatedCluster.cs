using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// A StoreCluster of three small members under a writing client, made once for all tests of <see cref="KubernetesRepairTests"/>: each finds three members
/// that serve, and leaves three.
/// </summary>
public sealed class OperatedCluster(KubernetesDemo demo) : IAsyncLifetime
{
    public const string Name = "busy";
    const string System = "store-system";

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    WritingClient? client;

    /// <summary>How long it took from `kubectl apply` to Ready.</summary>
    public TimeSpan Formed { get; private set; }

    internal WritingClient Client => client ?? throw new InvalidOperationException("needs a Kubernetes");

    public async ValueTask InitializeAsync()
    {
        if (!demo.HasKubernetes) return;
        var applied = Stopwatch.StartNew();
        await Kubectl.ApplyAsync($$"""
            apiVersion: storecluster.io/v1alpha1
            kind: StoreCluster
            metadata: {name: {{Name}}, namespace: default}
            spec:
              replicas: 3
              deletionPolicy: Delete
              storage: {size: 1Gi, retention: {onScaleIn: Delete} }
              update: {soakSeconds: 1, memberTimeoutSeconds: 30}
              healing: {nodeLostAfterSeconds: 10}
            """);
        await UntilAsync("three members that serve", Ready);
        Formed = applied.Elapsed;
        client = new WritingClient(await demo.ClientEndpointAsync(Name));
    }

    public async ValueTask DisposeAsync()
    {
        if (client is null) return;
        await client.DisposeAsync();
        await Kubectl.RunAsync("delete", "storecluster", Name, "--timeout=60s");
    }

    public static Task PatchAsync(string spec) => Kubectl.RunAsync("patch", "storecluster", Name, "--type=merge", "-p", $$"""{"spec": {{spec}} }""");

    /// <summary>The status, if it answers the present spec; else an empty one.</summary>
    public static async Task<JsonElement> StatusAsync(string name = Name, string @namespace = "default")
    {
        var json = await Kubectl.GetAsync("storecluster", name, "-n", @namespace);
        var current = json.TryGetProperty("status", out var status) && status.TryGetProperty("observedGeneration", out var seen)
            && seen.GetInt64() == json.GetProperty("metadata").GetProperty("generation").GetInt64();
        return current ? status : JsonDocument.Parse("{}").RootElement;
    }

    /// <summary>Asks until the status answers the present spec and is as wanted.</summary>
    public static async Task<JsonElement> UntilAsync(string what, Func<JsonElement, bool> wanted, string name = Name, string @namespace = "default", TimeSpan? within = null)
    {
        var status = default(JsonElement);
        await Kubectl.UntilAsync(async () => wanted(status = await StatusAsync(name, @namespace)) ? null : $"no {what}: {status}", within ?? Patience);
        return status;
    }

    /// <summary>Kills the operator that leads, without a chance to give its lease back. The other replica, or its successor, has to go on.</summary>
    public static async Task KillOperatorAsync()
    {
        var lease = (await Kubectl.GetAsync("lease", "-n", System)).GetProperty("items")[0].GetProperty("spec");
        await Kubectl.RunAsync("delete", "pod", "-n", System, lease.GetProperty("holderIdentity").GetString()!, "--grace-period=0", "--force", "--wait=false");
    }

    public static bool Ready(JsonElement status) => Condition(status, "Ready") == "True";

    public static string? Condition(JsonElement status, string type) => Find(status, type)?.GetProperty("status").GetString();

    public static string? Reason(JsonElement status, string type) => Find(status, type)?.GetProperty("reason").GetString();

    static JsonElement? Find(JsonElement status, string type) => !status.TryGetProperty("conditions", out var conditions)
        ? null
        : conditions.EnumerateArray().FirstOrDefault(condition => condition.GetProperty("type").GetString() == type) is { ValueKind: JsonValueKind.Object } found
            ? found
            : null;

    public static bool Blocked(JsonElement status, string reason) =>
        status.TryGetProperty("blocked", out var blocked) && blocked.EnumerateArray().Any(entry => entry.GetProperty("reason").GetString() == reason);

    public static IReadOnlyList<string> Members(JsonElement status) => !status.TryGetProperty("members", out var members)
        ? []
        : [.. members.EnumerateArray().Select(member => member.GetProperty("name").GetString()!)];
}
