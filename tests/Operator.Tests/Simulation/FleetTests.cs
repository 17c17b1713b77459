using System.Globalization;
using Xunit;

namespace Operator.Tests;

/// <summary>What many StoreClusters cost.</summary>
public sealed class FleetTests(ITestOutputHelper output)
{
    static readonly int Clusters = int.Parse(Environment.GetEnvironmentVariable("FLEET") ?? "200", CultureInfo.InvariantCulture);

    /// <summary>What an operator may hold beside the runtime and its code, which are some 60 MiB of the 200 that a process may take.</summary>
    const long HeapLimit = 100L << 20;

    [Fact]
    public void Two_hundred_clusters_at_rest_cost_no_write_and_little_memory()
    {
        using var simulation = new Simulation(tick: TimeSpan.FromSeconds(2));
        var names = Enumerable.Range(1, Clusters).Select(number => $"fleet{number}").ToList();
        foreach (var name in names) simulation.Apply(name, Scenario.Spec(3));
        foreach (var name in names) simulation.RunUntilSettled(name);

        var writes = simulation.Writes.Writes.Count;
        simulation.Run(TimeSpan.FromMinutes(10));
        Assert.Empty(simulation.Writes.Writes.Skip(writes));

        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var another = simulation.AnotherOperator();
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(another);
        output.WriteLine($"{Clusters} StoreClusters: {writes} writes until all were ready, none in ten minutes after; an operator holds {held >> 20} MiB of them");
        Assert.True(held < HeapLimit * Math.Max(1, Clusters / 200), $"an operator holds {held >> 20} MiB");
    }
}
