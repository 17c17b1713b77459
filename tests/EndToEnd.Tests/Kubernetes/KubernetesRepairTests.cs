using System.Diagnostics;
using System.Text.Json;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>What the operator mends and changes by itself on a real Kubernetes, each in a StoreCluster of its own, with a key that has to survive it.</summary>
public sealed class KubernetesRepairTests(KubernetesDemo demo, ITestOutputHelper output) : IClassFixture<KubernetesDemo>
{
    const string Marker = "survives";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_member_whose_volume_was_wiped_is_replaced_by_a_new_one()
    {
        await using var cluster = await FormAsync("wiped", "");
        await KubectlAsync("delete", "pvc", "data-wiped-2-0", "--wait=false");
        await KubectlAsync("delete", "pod", "wiped-2-0");
        await cluster.UntilAsync("members 1, 3 and 4", status => Names(status) == "wiped-1,wiped-3,wiped-4" && Ready(status));
        await cluster.RequireMarkerAsync();
    }

    [Fact]
    public async Task A_member_whose_node_died_is_replaced_by_a_new_one()
    {
        var pids = Path.Combine(Environment.GetEnvironmentVariable("KUBE_RUN") ?? "/nowhere", "pids");
        Assert.SkipUnless(File.Exists(Path.Combine(pids, "node-3.pid")), "needs a cluster of three nodes whose processes this test may kill: set KUBE_RUN");
        await using var cluster = await FormAsync("bereft", "healing: {nodeLostAfterSeconds: 10}");
        var victim = (await cluster.StatusAsync()).GetProperty("members").EnumerateArray().First(member => member.GetProperty("node").GetString() == "node-3").GetProperty("name").GetString()!;
        (await Shell.RunAsync("kill", ["-KILL", (await File.ReadAllTextAsync(Path.Combine(pids, "node-3.pid"), Stop)).Trim()], null, TimeSpan.FromSeconds(10))).Succeeded();
        try
        {
            await cluster.UntilAsync($"three members without {victim}", status => Ready(status) && !Names(status).Split(',').Contains(victim));
            await cluster.RequireMarkerAsync();
        }
        finally
        {
            (await Shell.RunAsync(Path.Combine(Binaries.KubeScripts!, "up"), ["--nodes", "3"], null, TimeSpan.FromMinutes(5))).Succeeded();
        }
    }

    [Fact]
    public async Task A_bad_image_stops_at_one_member_and_the_former_spec_brings_it_back()
    {
        await using var cluster = await FormAsync("misled", "update: {soakSeconds: 1, memberTimeoutSeconds: 30}");
        await cluster.PatchAsync("""{"spec":{"image":{"tag":"none"}}}""");
        await cluster.UntilAsync("a failed update", status => Blocked(status, "UpdateFailed"));
        Assert.Equal(2, (await cluster.StatusAsync()).GetProperty("readyMembers").GetInt32());
        await cluster.PatchAsync("""{"spec":{"image":{"tag":null}}}""");
        await cluster.UntilAsync("three members that serve again", Ready);
        await cluster.RequireMarkerAsync();
    }

    [Fact]
    public async Task Volumes_grow_in_place()
    {
        await using var cluster = await FormAsync("grown", "");
        await cluster.PatchAsync("""{"spec":{"storage":{"size":"2Gi"}}}""");
        await cluster.UntilAsync("three members", Ready);
        var until = Stopwatch.StartNew();
        string sizes;
        do
        {
            sizes = (await KubectlAsync("get", "pvc", "-l", "storecluster.io/cluster=grown", "-o", "jsonpath={.items[*].spec.resources.requests.storage}")).Output;
            Assert.True(until.Elapsed < TimeSpan.FromMinutes(1), $"the claims ask for {sizes}");
        }
        while (sizes.Trim() != "2Gi 2Gi 2Gi");
    }

    async Task<Running> FormAsync(string name, string more)
    {
        demo.RequireKubernetes();
        var cluster = new Running(name, output);
        await cluster.ApplyAsync(more);
        await cluster.UntilAsync("three members", Ready);
        await cluster.WriteMarkerAsync();
        return cluster;
    }

    static async Task<ShellResult> KubectlAsync(params string[] arguments) => (await KubernetesDemo.KubectlAsync(arguments, Stop)).Succeeded();

    static bool Ready(JsonElement status) => status.TryGetProperty("conditions", out var conditions) && conditions.EnumerateArray()
        .Any(condition => condition.GetProperty("type").GetString() == "Ready" && condition.GetProperty("status").GetString() == "True");

    static bool Blocked(JsonElement status, string reason) =>
        status.TryGetProperty("blocked", out var blocked) && blocked.EnumerateArray().Any(entry => entry.GetProperty("reason").GetString() == reason);

    static string Names(JsonElement status) => !status.TryGetProperty("members", out var members)
        ? ""
        : string.Join(',', members.EnumerateArray().Select(member => member.GetProperty("name").GetString()).Order(StringComparer.Ordinal));

    /// <summary>A StoreCluster of three small members; gone, with its volumes, when disposed.</summary>
    sealed class Running(string name, ITestOutputHelper output) : IAsyncDisposable
    {
        public async Task ApplyAsync(string more)
        {
            var file = Path.Combine(Path.GetTempPath(), $"{name}-{Guid.NewGuid():n}.yaml");
            await File.WriteAllTextAsync(file, $"""
                apiVersion: storecluster.io/v1alpha1
                kind: StoreCluster
                metadata: {"{"}name: {name}, namespace: default{"}"}
                spec:
                  replicas: 3
                  deletionPolicy: Delete
                  storage: {"{"}size: 1Gi{"}"}
                  {more}
                """, Stop);
            await KubectlAsync("apply", "-f", file);
            File.Delete(file);
        }

        public Task PatchAsync(string json) => KubectlAsync("patch", "storecluster", name, "--type=merge", "-p", json);

        public async Task<JsonElement> StatusAsync()
        {
            var json = JsonDocument.Parse((await KubectlAsync("get", "storecluster", name, "-o", "json")).Output).RootElement;
            var current = json.TryGetProperty("status", out var status) && status.TryGetProperty("observedGeneration", out var seen)
                && seen.GetInt64() == json.GetProperty("metadata").GetProperty("generation").GetInt64();
            return current ? status : JsonDocument.Parse("{}").RootElement;
        }

        /// <summary>Asks until the status answers the present spec and is as wanted.</summary>
        public async Task UntilAsync(string what, Func<JsonElement, bool> wanted)
        {
            var waited = Stopwatch.StartNew();
            for (var status = await StatusAsync(); !wanted(status); status = await StatusAsync())
            {
                Assert.True(waited.Elapsed < TimeSpan.FromMinutes(5), $"{name} has no {what}: {status}");
                await Task.Delay(TimeSpan.FromMilliseconds(500), Stop);
            }

            output.WriteLine($"{name}: {what} after {waited.Elapsed.TotalSeconds:0.0} s");
        }

        public async Task WriteMarkerAsync() => (await EtcdctlAsync("put", Marker, name)).Succeeded();

        public async Task RequireMarkerAsync() => Assert.Equal(name, (await EtcdctlAsync("get", Marker, "--print-value-only")).Succeeded().Output.Trim());

        private async Task<ShellResult> EtcdctlAsync(params string[] arguments)
        {
            var address = (await KubectlAsync("get", "service", name, "-o", "jsonpath={.spec.clusterIP}")).Output;
            return await Etcdctl.RunAsync("3.5", $"http://{address}:2379", arguments);
        }

        public async ValueTask DisposeAsync() =>
            await KubernetesDemo.KubectlAsync(["delete", "storecluster", name, "--timeout=60s"], CancellationToken.None);
    }
}
