using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// A whole Kubernetes keeps its state in three members of the store: API server, controllers, scheduler and a node that runs pods. Its own
/// self-test passes while the store's leader is killed under it, more than once.
/// </summary>
public sealed class KubernetesOnTheStoreTests(ITestOutputHelper output)
{
    // A cluster of its own beside the one that KUBECONFIG may name: other folder, ports and addresses.
    static readonly Dictionary<string, string> Beside = new(StringComparer.Ordinal)
    {
        ["KUBE_RUN"] = "/run/kube-on-store",
        ["KUBE_PORT"] = "7443",
        ["KUBE_NET"] = "10.86",
    };

    [Fact]
    public async Task A_kubernetes_on_three_members_passes_its_self_test_while_the_leader_is_killed()
    {
        var stop = TestContext.Current.CancellationToken;
        Assert.SkipUnless(Binaries.KubeScripts is not null, "needs the scripts that bring up a Kubernetes in ../shared/kube");
        await using var store = await LoopbackCluster.StartAsync(Product.Store, 3, stop, flags: LoopbackCluster.Warm(Product.Store));
        try
        {
            var endpoints = string.Join(',', store.Members.Select(member => member.ClientUrl));
            (await KubeAsync("up", TimeSpan.FromMinutes(6), "--nodes", "1", "--etcd-servers", endpoints)).Succeeded();
            var selfTest = KubeAsync("selftest", TimeSpan.FromMinutes(12));
            var kills = 0;
            while (!selfTest.IsCompleted)
            {
                var leader = await store.LeaderAsync(stop);
                leader.Kill();
                kills++;
                await Task.WhenAny(selfTest, Task.Delay(TimeSpan.FromSeconds(5), stop));
                leader.Start();
                await leader.WaitUntilReadyAsync(stop);
                await Task.WhenAny(selfTest, Task.Delay(TimeSpan.FromSeconds(15), stop));
            }
            var result = await selfTest;
            output.WriteLine($"the leader was killed {kills} times\n{result.Output}");
            if (result.ExitCode != 0) Assert.Fail($"the self-test failed, the leader having been killed {kills} times:\n{result}\n{store.Logs()}");
            Assert.True(kills >= 2, $"the leader was killed {kills} times only");
        }
        finally
        {
            await KubeAsync("down", TimeSpan.FromMinutes(2));
        }

        Task<ShellResult> KubeAsync(string script, TimeSpan limit, params string[] arguments) =>
            Shell.RunAsync(Path.Combine(Binaries.KubeScripts!, script), arguments, Beside, limit, cancellationToken: stop);
    }
}
