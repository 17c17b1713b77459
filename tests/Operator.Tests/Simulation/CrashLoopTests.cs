using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What a member costs that crashes again and again.</summary>
public sealed class CrashLoopTests
{
    const string Pod = "orders-2-0";

    [Fact]
    public void An_hour_of_a_crash_loop_costs_a_handful_of_status_writes_and_its_end_is_noticed()
    {
        using var simulation = new Simulation();
        simulation.Apply(Scenario.Cluster, Scenario.Spec(3));
        simulation.RunUntilSettled(Scenario.Cluster);
        simulation.Kubernetes.Crashing.Add(Pod);
        simulation.RunUntil(() => Member(simulation).Reason == "CrashLooping", TimeSpan.FromMinutes(1), () => simulation.Describe(Scenario.Cluster));
        simulation.Run(TimeSpan.FromMinutes(5));

        var before = simulation.Writes.Writes.Count;
        simulation.Run(TimeSpan.FromHours(1));
        var writes = simulation.Writes.Writes.Skip(before).ToList();
        Assert.True(writes.Count <= 6, string.Join('\n', writes));
        Assert.InRange(Member(simulation).Restarts!.Value, 10, 30);
        Assert.Equal("Failed", Member(simulation).State);
        Assert.Contains("panic: out of luck", Member(simulation).Message, StringComparison.Ordinal);

        simulation.Kubernetes.Crashing.Clear();
        simulation.RunUntilSettled(Scenario.Cluster);
    }

    static MemberStatus Member(Simulation simulation) => simulation.Cluster(Scenario.Cluster).Status!.Members!.Single(member => member.Pod == Pod);
}
