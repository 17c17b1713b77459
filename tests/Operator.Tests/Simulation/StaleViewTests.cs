using System.Globalization;
using Xunit;

namespace Operator.Tests;

/// <summary>Operators whose caches lag, and two that both believe they lead: what is wanted comes about, and no promise of the store is broken.</summary>
public sealed class StaleViewTests
{
    static readonly int Seeds = int.Parse(Environment.GetEnvironmentVariable("SIMULATION_SEEDS") ?? "3", CultureInfo.InvariantCulture);

    public static MatrixTheoryData<string, int> Runs => new(Scenario.Played, Enumerable.Range(1, Seeds));

    [Theory]
    [MemberData(nameof(Runs))]
    public void Watches_that_lag_and_coalesce_lead_to_the_same_rest(string scenario, int seed) => Play(scenario, new Simulation(seed, Watches.Lagging));

    [Theory]
    [MemberData(nameof(Runs))]
    public void Two_leaders_at_once_do_no_harm(string scenario, int seed) => Play(scenario, new Simulation(seed, Watches.Lagging, operators: 2));

    static void Play(string scenario, Simulation simulation)
    {
        using (simulation)
        {
            Scenario.Of(scenario).Play(simulation);
            simulation.Run(TimeSpan.FromMinutes(1));
            AsWanted(simulation);
            var writes = simulation.Writes.Writes.Count;
            simulation.Run(TimeSpan.FromMinutes(2));
            Assert.Empty(simulation.Writes.Writes.Skip(writes));
        }
    }

    /// <summary>As many voters as wanted, each with its pod and its StatefulSet, and nothing besides.</summary>
    static void AsWanted(Simulation simulation)
    {
        if (simulation.Table.Get("storeclusters", Simulation.Key(Scenario.Cluster)) is null)
        {
            Assert.Empty(simulation.Table.List("statefulsets"));
            Assert.Empty(simulation.Table.List("pods"));
            return;
        }

        var cluster = simulation.Cluster(Scenario.Cluster);
        var wanted = cluster.Spec.Replicas;
        var members = Assert.Single(simulation.Store.Groups, group => group.Token == cluster.Status!.ClusterToken).Members;
        // One that was deleted before, in whose name this one goes on, has nobody left.
        Assert.All(simulation.Store.Groups.Where(group => group.Token != cluster.Status!.ClusterToken), group => Assert.False(group.HasQuorum));
        Assert.Equal(wanted, members.Count);
        Assert.All(members, member => Assert.False(member.Learner));
        var names = members.Select(member => member.Name).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(names, simulation.Table.List("statefulsets").Select(set => ObjectTable.KeyOf(set).Name));
        Assert.Equal(names.Select(name => $"{name}-0"), simulation.Table.List("pods").Select(pod => ObjectTable.KeyOf(pod).Name));
    }
}
