using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>What is wrong with a command line, a port or a disk is said in one line that tells what to do, with a non-zero exit; nothing is lost.</summary>
public sealed class BadInputTests
{
    [Fact]
    public async Task A_wrong_flag_is_named_together_with_the_nearest_right_one()
    {
        var result = await RunAsync("--data-dirr", "/nowhere");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("data-dirr", result.Error, StringComparison.Ordinal);
        Assert.Contains("--data-dir", result.Error.Replace("data-dirr", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True(Lines(result.Error).Length <= 2, result.Error);
    }

    [Fact]
    public async Task A_wrong_value_of_a_flag_is_named()
    {
        var result = await RunAsync("--heartbeat-interval", "soon");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("heartbeat-interval", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_is_named()
    {
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, TestContext.Current.CancellationToken);
        var result = await RunBesideAsync(cluster, clientPort: cluster[0].ClientPort, dataDirectory: Path.Combine(cluster.Folder, "other"));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains($"{cluster[0].ClientPort}", result.Error + result.Output, StringComparison.Ordinal);
        await cluster[0].WaitUntilReadyAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_data_directory_in_use_is_refused_and_its_owner_goes_on()
    {
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, TestContext.Current.CancellationToken);
        var result = await RunBesideAsync(cluster, clientPort: Ports.Take(), dataDirectory: cluster[0].DataDirectory);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(cluster[0].DataDirectory, result.Error + result.Output, StringComparison.Ordinal);
        await cluster[0].WaitUntilReadyAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_written_is_named()
    {
        var file = Path.GetTempFileName();
        var result = await RunAsync("--name", "m", "--data-dir", Path.Combine(file, "data"));
        File.Delete(file);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(file, result.Error + result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_stopped_with_SIGTERM_exits_cleanly_and_comes_back_with_its_data()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken);
        Assert.Equal(0, (await Etcdctl.RunAsync("3.5", cluster.Endpoints, ["put", "kept", "1"])).ExitCode);
        Assert.Equal(0, await cluster[0].StopAsync());
        cluster[0].Start();
        await cluster[0].WaitUntilReadyAsync(cancellationToken);
        Assert.Equal("kept\n1\n", (await Etcdctl.RunAsync("3.5", cluster.Endpoints, ["get", "kept"])).Output);
    }

    [Fact]
    public async Task A_killed_leader_is_replaced_and_writes_go_on()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, cancellationToken);
        var leader = await cluster.LeaderAsync(cancellationToken);
        leader.Kill();
        var others = string.Join(',', cluster.Members.Where(m => m != leader).Select(m => m.Endpoint));
        await cluster.LeaderAsync(cancellationToken);
        var result = await Etcdctl.RunAsync("3.5", others, ["put", "after", "1"]);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Fact]
    public async Task A_member_with_the_data_of_another_cluster_is_refused_by_name_and_the_others_go_on()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = LoopbackCluster.Create(Product.Store, 3);
        await using (var another = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken))
        {
            await another[0].StopAsync();
            Directory.Move(another[0].DataDirectory, cluster[2].DataDirectory);
        }
        foreach (var member in cluster.Members)
            member.Start();
        await cluster[0].WaitUntilReadyAsync(cancellationToken);
        await cluster[1].WaitUntilReadyAsync(cancellationToken);
        for (var attempt = 0; attempt < 200 && !cluster[2].Log().Contains("cluster ID mismatch", StringComparison.Ordinal); attempt++)
            await Task.Delay(100, cancellationToken);
        Assert.Contains("cluster ID mismatch", cluster[2].Log(), StringComparison.Ordinal);
        Assert.Equal(0, (await Etcdctl.RunAsync("3.5", cluster[0].Endpoint, ["put", "a", "1"])).ExitCode);
    }

    static string[] Lines(string text) => text.Trim().Split('\n');

    /// <summary>A second, single-member process beside the cluster.</summary>
    static Task<ShellResult> RunBesideAsync(LoopbackCluster cluster, int clientPort, string dataDirectory)
    {
        var peer = $"http://127.0.0.1:{Ports.Take()}";
        return RunAsync(
            "--name", cluster[0].Name, "--data-dir", dataDirectory,
            "--listen-client-urls", $"http://127.0.0.1:{clientPort}", "--advertise-client-urls", $"http://127.0.0.1:{clientPort}",
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", $"{cluster[0].Name}={peer}");
    }

    static Task<ShellResult> RunAsync(params string[] arguments) => Shell.RunAsync(Binaries.Store, arguments, null, TimeSpan.FromSeconds(20));
}
