using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// What the operator changes and mends by itself on real pods, while a client writes and the leading operator is killed in the middle of it. After each
/// test three members serve, and no acknowledged write is lost.
/// </summary>
[Collection<KubernetesInstallation>]
public sealed class KubernetesRepairTests(KubernetesDemo demo, OperatedCluster cluster, ITestOutputHelper output) : IClassFixture<OperatedCluster>
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_cluster_is_ready_90_seconds_after_it_is_applied()
    {
        demo.RequireKubernetes();
        output.WriteLine($"Ready after {cluster.Formed.TotalSeconds:0.0} s");
        Assert.True(cluster.Formed < TimeSpan.FromSeconds(90), $"it took {cluster.Formed}");
        Assert.Equal(3, OperatedCluster.Members(await OperatedCluster.StatusAsync()).Count);
    }

    [Fact]
    public Task Scaling_to_five_and_back_to_three_loses_nothing() => UnderWritesAsync(async () =>
    {
        foreach (var replicas in new[] { 5, 3 })
        {
            await Kubectl.RunAsync("scale", "storecluster", OperatedCluster.Name, $"--replicas={replicas}");
            await OperatedCluster.UntilAsync("operation under way", HasOperation);
            await OperatedCluster.KillOperatorAsync();
            await OperatedCluster.UntilAsync($"{replicas} members that serve", status => ReadyWith(status, replicas));
        }
    });

    [Fact]
    public Task A_deleted_pod_comes_back_as_the_same_member() => UnderWritesAsync(async () =>
    {
        var before = await OperatedCluster.StatusAsync();
        var leader = before.GetProperty("leader").GetString()!;
        await Kubectl.RunAsync("delete", "pod", $"{leader}-0", "--wait=false");
        await OperatedCluster.KillOperatorAsync();
        await OperatedCluster.UntilAsync("absence of the member", status => !OperatedCluster.Ready(status));
        var after = await OperatedCluster.UntilAsync("three members that serve", status => ReadyWith(status, 3));
        Assert.Equal(OperatedCluster.Members(before), OperatedCluster.Members(after));
    });

    [Fact]
    public Task A_member_whose_volume_was_wiped_is_replaced_and_never_serves_empty() => UnderWritesAsync(async () =>
    {
        var victim = OperatedCluster.Members(await OperatedCluster.StatusAsync())[^1];
        var pod = (await Kubectl.GetAsync("pod", $"{victim}-0")).GetProperty("metadata").GetProperty("uid").GetString()!;
        using var replaced = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var watching = CountEmptyAnswersAsync(victim, pod, replaced.Token);
        await Kubectl.RunAsync("delete", "pvc", $"data-{victim}-0", "--wait=false");
        await Kubectl.RunAsync("delete", "pod", $"{victim}-0");
        await OperatedCluster.UntilAsync("operation under way", HasOperation);
        await OperatedCluster.KillOperatorAsync();
        await OperatedCluster.UntilAsync($"three members without {victim}", status => ReadyWith(status, 3) && !OperatedCluster.Members(status).Contains(victim));
        await replaced.CancelAsync();
        Assert.Equal(0, await watching);
        var events = await Kubectl.RunAsync("get", "events", "--field-selector", $"involvedObject.name={OperatedCluster.Name},reason=DiskLost", "-o", "name");
        Assert.NotEmpty(events.Trim());
    });

    [Fact]
    public async Task A_member_whose_node_died_is_replaced_by_a_new_one()
    {
        var processes = Path.Combine(Environment.GetEnvironmentVariable("KUBE_RUN") ?? "/nowhere", "pids");
        Assert.SkipUnless(File.Exists(Path.Combine(processes, "node-3.pid")), "needs a cluster of three nodes whose processes this test may kill: set KUBE_RUN");
        await UnderWritesAsync(async () =>
        {
            // Two members, where the scheduler has put a replacement beside another one: each is replaced.
            var placed = (await OperatedCluster.StatusAsync()).GetProperty("members").EnumerateArray().ToLookup(member => member.GetProperty("node").GetString()!, member => member.GetProperty("name").GetString()!);
            var (node, victims) = (placed.First().Key, placed.First().ToList());
            var process = await File.ReadAllTextAsync(Path.Combine(processes, $"{node}.pid"), Stop);
            (await Shell.RunAsync("kill", ["-KILL", process.Trim()], null, TimeSpan.FromSeconds(10))).Succeeded();
            try
            {
                await OperatedCluster.UntilAsync("operation under way", HasOperation);
                await OperatedCluster.KillOperatorAsync();
                await OperatedCluster.UntilAsync($"three members without {string.Join(' ', victims)}", status => ReadyWith(status, 3) && !OperatedCluster.Members(status).Intersect(victims).Any());
            }
            finally
            {
                (await Shell.RunAsync(Path.Combine(Binaries.KubeScripts!, "up"), ["--nodes", "3"], null, TimeSpan.FromMinutes(5))).Succeeded();
            }
        });
    }

    [Fact]
    public async Task A_new_image_rolls_through_the_members_with_one_change_of_leader_at_most()
    {
        demo.RequireKubernetes();
        await RetaggedImage.LoadAsync(Stop);
        await UnderWritesAsync(async () =>
        {
            var term = await cluster.Client.TermAsync();
            await OperatedCluster.PatchAsync($$"""{"image": {"tag": "{{RetaggedImage.Tag}}"} }""");
            await OperatedCluster.UntilAsync("restarted member", status => status.ValueKind == JsonValueKind.Object && OperatedCluster.Condition(status, "MembersUpdated") == "False");
            await OperatedCluster.KillOperatorAsync();
            await OperatedCluster.UntilAsync("three updated members", status => ReadyWith(status, 3));
            var images = await Kubectl.RunAsync("get", "pods", "-l", $"storecluster.io/cluster={OperatedCluster.Name}", "-o", "jsonpath={.items[*].spec.containers[0].image}");
            Assert.Equal([$"localhost/store:{RetaggedImage.Tag}"], images.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct());
            var elections = await cluster.Client.TermAsync() - term;
            output.WriteLine($"{elections} elections");
            Assert.True(elections <= 1, $"the leader changed {elections} times");
        });
    }

    [Fact]
    public Task A_bad_image_stops_at_one_member_and_the_former_spec_brings_it_back() => UnderWritesAsync(async () =>
    {
        var tag = await Kubectl.RunAsync("get", "storecluster", OperatedCluster.Name, "-o", "jsonpath={.spec.image.tag}");
        var image = tag.Length == 0 ? "null" : $"\"{tag}\"";
        await OperatedCluster.PatchAsync("""{"image":{"tag":"none"}}""");
        await OperatedCluster.UntilAsync("outdated members", status => OperatedCluster.Condition(status, "MembersUpdated") == "False" && !OperatedCluster.Ready(status));
        await OperatedCluster.KillOperatorAsync();
        var halted = await OperatedCluster.UntilAsync("failed update", status => OperatedCluster.Blocked(status, "UpdateFailed"));
        Assert.Equal(2, halted.GetProperty("readyMembers").GetInt32());
        await ComesBackAsItWasAsync(halted.GetProperty("members").EnumerateArray().First(member => member.GetProperty("state").GetString() == "Ready").GetProperty("name").GetString()!);
        await OperatedCluster.PatchAsync($$"""{"image": {"tag": {{image}} } }""");
        await OperatedCluster.UntilAsync("three members that serve again", status => ReadyWith(status, 3));
    });

    [Fact]
    public async Task Volumes_grow_in_place()
    {
        demo.RequireKubernetes();
        await OperatedCluster.PatchAsync("""{"storage":{"size":"2Gi"}}""");
        await OperatedCluster.UntilAsync("three members that serve", status => ReadyWith(status, 3));
        var claims = $"storecluster.io/cluster={OperatedCluster.Name}";
        var waited = Stopwatch.StartNew();
        for (var sizes = ""; sizes != "2Gi 2Gi 2Gi"; sizes = (await Kubectl.RunAsync("get", "pvc", "-l", claims, "-o", "jsonpath={.items[*].spec.resources.requests.storage}")).Trim())
            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(1), $"the claims ask for {sizes}");
    }

    async Task UnderWritesAsync(Func<Task> change)
    {
        demo.RequireKubernetes();
        await OperatedCluster.UntilAsync("three members that serve", status => ReadyWith(status, 3));
        cluster.Client.TakeLongestStall();
        var written = cluster.Client.Acknowledged;
        var took = Stopwatch.StartNew();
        await change();
        output.WriteLine($"{took.Elapsed.TotalSeconds:0.0} s, {cluster.Client.Acknowledged - written} writes acknowledged, the longest pause between two of them {cluster.Client.TakeLongestStall().TotalMilliseconds:0} ms");
        await cluster.Client.RequireAllAsync();
    }

    /// <summary>Its pod goes while nobody has the wanted image, and the quorum for as long as it takes to come back with the image that it had.</summary>
    static async Task ComesBackAsItWasAsync(string member)
    {
        async Task<string> PodAsync(string path) => (await Kubectl.TryAsync("get", "pod", $"{member}-0", "-o", $"jsonpath={path}")).Output.Trim();
        var (former, image) = (await PodAsync("{.metadata.uid}"), await PodAsync("{.spec.containers[0].image}"));
        await Kubectl.RunAsync("delete", "pod", $"{member}-0");
        await Kubectl.UntilAsync(async () => await PodAsync("{.metadata.uid} {.status.conditions[?(@.type=='Ready')].status}") is var seen && seen.EndsWith(" True", StringComparison.Ordinal) && !seen.StartsWith(former, StringComparison.Ordinal)
            ? null
            : $"the pod of {member} is not back: {seen}", TimeSpan.FromMinutes(2));
        Assert.Equal(image, await PodAsync("{.spec.containers[0].image}"));
    }

    static bool ReadyWith(JsonElement status, int members) => OperatedCluster.Ready(status) && OperatedCluster.Members(status).Count == members;

    static bool HasOperation(JsonElement status) => status.TryGetProperty("operation", out var operation) && operation.ValueKind == JsonValueKind.Object;

    /// <summary>Asks the member's new pods again and again, without a quorum's consent. One with an empty disk must not answer.</summary>
    static async Task<int> CountEmptyAnswersAsync(string member, string formerPod, CancellationToken stop)
    {
        var answers = 0;
        while (!stop.IsCancellationRequested)
        {
            var pod = await Kubectl.TryAsync("get", "pod", $"{member}-0", "-o", "jsonpath={.metadata.uid} {.status.podIP}");
            if (pod.ExitCode == 0 && pod.Output.Split(' ') is [var uid, { Length: > 0 } address] && uid != formerPod && await AnswersAsync(address)) answers++;
        }
        return answers;
    }

    static async Task<bool> AnswersAsync(string address)
    {
        using var channel = GrpcChannel.ForAddress($"http://{address}:2379");
        try
        {
            var request = new RangeRequest { Key = ByteString.CopyFromUtf8("w/"), Serializable = true };
            await new KV.KVClient(channel).RangeAsync(request, deadline: DateTime.UtcNow.AddMilliseconds(500));
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }
}
