using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What people do to users and Secrets behind the operator's back.</summary>
public sealed class AuthenticationTests
{
    const string Cluster = Scenario.Cluster;

    [Fact]
    public void A_Secret_that_never_comes_keeps_nothing_from_running_and_costs_no_write()
    {
        using var simulation = new Simulation();
        simulation.Apply(Cluster, Scenario.Asking(Scenario.Spec(3)));
        simulation.RunUntil(() => simulation.Cluster(Cluster).Status is { ReadyMembers: 3, Operation: null }, TimeSpan.FromMinutes(5), () => simulation.Describe(Cluster));
        simulation.Run(TimeSpan.FromMinutes(1));
        Assert.Equal("RootSecretMissing", Reason(simulation));
        var writes = simulation.Writes.Writes.Count;
        simulation.Run(TimeSpan.FromMinutes(10));
        Assert.Empty(simulation.Writes.Writes.Skip(writes));
    }

    [Fact]
    public void Locked_out_it_tries_seldom_and_the_right_password_lets_it_in_and_restores_its_user()
    {
        using var simulation = Asking();
        var users = simulation.Store.Groups[0].Users;
        users.Users.Remove(OperatorLogin.User);
        users.SetPassword("root", "changed by hand");
        simulation.RunUntil(() => Reason(simulation) == "LockedOut", TimeSpan.FromMinutes(1), () => simulation.Describe(Cluster));
        var writes = simulation.Writes.Writes.Count;
        simulation.Run(TimeSpan.FromMinutes(2));
        Assert.InRange(simulation.Writes.Writes.Count - writes, 0, 10);
        simulation.Secret("root", "changed by hand");
        simulation.RunUntilSettled(Cluster);
        Assert.True(users.Users[OperatorLogin.User].Root);
    }

    [Fact]
    public void A_lost_Secret_of_the_operator_is_made_anew()
    {
        using var simulation = Asking();
        simulation.Delete("secrets", Names.OperatorLogin(Cluster));
        simulation.Run(TimeSpan.FromMinutes(1));
        simulation.RunUntilSettled(Cluster);
        Assert.Contains("of the Secret root", WorldState.Of(simulation), StringComparison.Ordinal);
    }

    [Fact]
    public void Authentication_that_was_turned_on_by_hand_is_taken_over_when_the_spec_says_so()
    {
        using var simulation = new Simulation();
        simulation.Apply(Cluster, Scenario.Spec(1));
        simulation.RunUntilSettled(Cluster);
        var users = simulation.Store.Groups[0].Users;
        users.Users["root"] = new("by hand", Root: true);
        Assert.Null(users.Enable());
        simulation.RunUntil(() => simulation.Cluster(Cluster).Status!.Members![0].Reason == "Refused", TimeSpan.FromMinutes(1), () => simulation.Describe(Cluster));
        simulation.Secret("root", "by hand");
        simulation.Apply(Cluster, Scenario.Asking(Scenario.Spec(1)));
        simulation.RunUntilSettled(Cluster);
        Assert.True(users.Users[OperatorLogin.User].Root);
    }

    static Simulation Asking()
    {
        var simulation = new Simulation();
        simulation.Secret("root", "first");
        simulation.Apply(Cluster, Scenario.Asking(Scenario.Spec(1)));
        simulation.RunUntilSettled(Cluster);
        return simulation;
    }

    static string? Reason(Simulation simulation) =>
        simulation.Cluster(Cluster).Status?.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.AuthReady)?.Reason;
}
