using System.Globalization;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>Alone, because the operator's process does not wait long for members that the test is too busy to play.</summary>
[CollectionDefinition(nameof(FleetTests), DisableParallelization = true)]
public sealed class Alone;

/// <summary>What many StoreClusters cost.</summary>
[Collection(nameof(FleetTests))]
public sealed class FleetTests(ITestOutputHelper output)
{
    static readonly int Clusters = Number("FLEET", 200);
    static readonly TimeSpan Rest = TimeSpan.FromSeconds(Number("FLEET_REST_SECONDS", 30));

    /// <summary>What a process may take, in physical memory, at any moment.</summary>
    static readonly long MemoryLimit = (200L << 20) * Math.Max(1, Clusters / 200);

    /// <summary>Addresses that the members of no other run on this machine have.</summary>
    static readonly string Network = $"127.{64 + Environment.ProcessId % 128}";

    static readonly string[] Names = [.. Enumerable.Range(1, Clusters).Select(number => $"fleet{number}")];

    /// <summary>In a simulated Kubernetes: first as the operator's code on virtual time, then as its process, by the clock and over sockets.</summary>
    [Fact]
    public async Task Two_hundred_clusters_at_rest_cost_no_write_and_a_process_of_200_MiB_at_most()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads a process's memory from /proc");
        using var simulation = new Simulation(tick: TimeSpan.FromSeconds(2), begin: DateTimeOffset.UtcNow.AddDays(-1), network: Network);
        foreach (var name in Names) simulation.Apply(name, Scenario.Spec(3));
        foreach (var name in Names) simulation.RunUntilSettled(name);

        var writes = simulation.Writes.Writes.Count;
        simulation.Run(TimeSpan.FromMinutes(10));
        Assert.Empty(simulation.Writes.Writes.Skip(writes));
        output.WriteLine($"{Clusters} StoreClusters: {writes} writes until all were ready, none in ten minutes after");

        simulation.EndOperators();
        simulation.RunTo(DateTimeOffset.UtcNow);
        await using var server = await SimulatedServer.StartAsync(simulation, addresses: 4 * Clusters);
        await MeasureProcessAsync(server);
        simulation.RequireNoHarm();
    }

    /// <summary>It takes over, changes something of each, and rests.</summary>
    async Task MeasureProcessAsync(SimulatedServer server)
    {
        var settings = Path.GetTempFileName();
        await File.WriteAllTextAsync(settings, KubeConfig(server.Url), Stop);
        await using var process = new OperatorProcess("one", Simulation.Namespace, [KeyValuePair.Create("KUBECONFIG", (string?)settings), .. ImageSettings()]);
        foreach (var name in Names) server.Look(world => Annotate(world, name));
        await ControlPlane.UntilAsync("all are changed", () => Task.FromResult(server.Look(world => Names.All(world.IsSettled)) ? null : process.Log), seconds: 180);

        var writes = server.Look(Writes);
        var (_, busy) = process.ReadMemory();
        await Task.Delay(Rest, Stop);
        var (resident, peak) = process.ReadMemory();
        Assert.Empty(server.Look(Writes).Skip(writes.Count));
        output.WriteLine($"The operator's process beside {server.Look(world => world.Store.Processes.Count())} members: {busy >> 20} MiB at most until each StoreCluster was changed, {resident >> 20} MiB after {Rest.TotalSeconds:0} s of rest, {peak >> 20} MiB at most");
        Assert.True(peak <= MemoryLimit, $"a process of the operator took {peak >> 20} MiB");
        File.Delete(settings);
    }

    static IReadOnlyList<string> Writes(Simulation world) => [.. world.Writes.Writes.Where(write => !write.Contains("leases/", StringComparison.Ordinal))];

    static bool Annotate(Simulation world, string name)
    {
        world.Apply(name, Scenario.Spec(3) with { Services = new ServicesSpec { Client = new ClientServiceSpec { Annotations = new Dictionary<string, string> { ["asked"] = "of all" } } } });
        return true;
    }

    /// <summary>What the image of the operator sets for the runtime, from its "ENV NAME=VALUE NAME=VALUE".</summary>
    static IEnumerable<KeyValuePair<string, string?>> ImageSettings() => File.ReadLines(Repository.At("Dockerfile.operator"))
        .Where(line => line.StartsWith("ENV ", StringComparison.Ordinal)).SelectMany(line => line.Split(' ').Skip(1)).Select(pair => pair.Split('=')).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1]));

    static string KubeConfig(Uri server) => $$"""
        apiVersion: v1
        kind: Config
        current-context: simulated
        contexts: [{name: simulated, context: {cluster: simulated, user: nobody} }]
        clusters: [{name: simulated, cluster: {server: "{{server}}"} }]
        users: [{name: nobody, user: {token: none} }]
        """;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static int Number(string variable, int otherwise) => Environment.GetEnvironmentVariable(variable) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
