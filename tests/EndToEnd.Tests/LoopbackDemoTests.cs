using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>`make demo` where no Kubernetes is reachable: three members on loopback, one of them killed and back again, and nothing left afterwards.</summary>
public sealed class LoopbackDemoTests
{
    [Fact]
    public async Task The_demo_without_kubernetes_runs_three_members_and_survives_a_killed_one()
    {
        var stop = TestContext.Current.CancellationToken;
        // Six ports in a row, outside the range that the other tests draw from.
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["DEMO_MODE"] = "loopback", ["DEMO_PORT"] = "26390" };
        try
        {
            var demo = await RunAsync("demo");
            Assert.True(demo.ExitCode == 0, demo.ToString());
            Assert.Contains("hello from StoreCluster", demo.Output, StringComparison.Ordinal);
            Assert.Contains("still here", demo.Output, StringComparison.Ordinal);
            Assert.Contains("etcd_server_has_leader{} 1", demo.Output, StringComparison.Ordinal);
            Assert.Contains("Left running", demo.Output, StringComparison.Ordinal);
        }
        finally
        {
            var down = await RunAsync("demo-down");
            Assert.True(down.ExitCode == 0, down.ToString());
            Assert.False(Directory.Exists(Path.Combine(Binaries.RepositoryRoot, "out/demo")));
        }

        Task<ShellResult> RunAsync(string target) =>
            Shell.RunAsync("make", [target], environment, TimeSpan.FromMinutes(4), cancellationToken: stop);
    }
}
