using System.Collections.Concurrent;
using Xunit;

namespace Store.Simulation.Tests;

/// <summary>Whole clusters under every fault, one seed after the other. SIMULATION_SEEDS runs more of them, SIMULATION_FIRST_SEED others.</summary>
public sealed class SeedTests
{
    static readonly int First = Number("SIMULATION_FIRST_SEED", 1);
    static readonly int Count = Number("SIMULATION_SEEDS", 1_000);

    [Fact]
    public void Three_members_keep_every_guarantee_under_every_fault() => AllHold(First, Count * 7 / 10, members: 3);

    [Fact]
    public void Five_members_keep_every_guarantee_under_every_fault() => AllHold(First + 1_000_000, Count * 3 / 10, members: 5);

    [Fact]
    public void A_seed_always_tells_the_same_story()
    {
        var options = new SimulationOptions { Seed = First };
        Assert.Equal(World.Run(options), World.Run(options));
    }

    [Fact]
    public void The_faults_really_happen()
    {
        var reports = Enumerable.Range(First, 20).Select(seed => World.Run(new() { Seed = seed })).ToList();
        Assert.True(reports.Sum(report => report.Crashes) > 20);
        Assert.True(reports.Sum(report => report.Elections) > 40);
        Assert.True(reports.Sum(report => report.Snapshots) > 5);
        Assert.True(reports.Sum(report => report.Acknowledged) > 500);
        Assert.True(reports.Sum(report => report.Events) > 500);
    }

    static void AllHold(int from, int seeds, int members)
    {
        var failures = new ConcurrentBag<string>();
        Parallel.For(from, from + seeds, (seed, loop) =>
        {
            try
            {
                World.Run(new() { Seed = seed, Members = members });
            }
            catch (SimulationFailureException failure)
            {
                failures.Add(failure.Message);
                if (failures.Count >= 5) loop.Stop();
            }
        });
        Assert.True(failures.IsEmpty, string.Join('\n', failures));
    }

    static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out var number) ? number : otherwise;
}
