using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What a Secret that nobody makes costs, and how soon it is noticed when somebody does.</summary>
public sealed class MissingSecretTests
{
    [Fact]
    public void A_missing_Secret_of_certificates_is_looked_for_calmly_and_noticed_when_it_comes()
    {
        using var simulation = new Simulation();
        var issuer = new IssuerSpec { SecretRefs = new SecretRefsSpec { Member = new LocalReference { Name = "corporate" } } };
        simulation.Apply(Scenario.Cluster, Scenario.Spec(1) with { Tls = new TlsSpec { Peer = new PeerTlsSpec { Issuer = issuer } } });
        Calm(simulation);
        simulation.Secret("corporate", ForeignAuthority.Root(simulation.Now.UtcDateTime).Secret("corporate", simulation.Now.UtcDateTime, "*.orders-peers.shop.svc").Data);
        simulation.RunUntil(() => simulation.Has("orders-1"), TimeSpan.FromSeconds(15), () => simulation.Describe(Scenario.Cluster));
        simulation.RunUntilSettled(Scenario.Cluster);
    }

    [Fact]
    public void A_missing_Secret_of_roots_password_is_looked_for_calmly_and_noticed_when_it_comes()
    {
        using var simulation = new Simulation();
        simulation.Apply(Scenario.Cluster, Scenario.Asking(Scenario.Spec(1)));
        simulation.RunUntil(() => simulation.Cluster(Scenario.Cluster).Status is { ReadyMembers: 1, Operation: null }, TimeSpan.FromMinutes(5), () => simulation.Describe(Scenario.Cluster));
        Calm(simulation);
        simulation.Secret("root", "first");
        simulation.RunUntilSettled(Scenario.Cluster, minutes: 1);
    }

    /// <summary>A pass every ten seconds, each with a read or two, and no write.</summary>
    static void Calm(Simulation simulation)
    {
        simulation.Run(TimeSpan.FromSeconds(10));
        var (reads, writes) = (simulation.Table.Reads.GetValueOrDefault("secrets"), simulation.Writes.Writes.Count);
        simulation.Run(TimeSpan.FromMinutes(1));
        Assert.InRange(simulation.Table.Reads.GetValueOrDefault("secrets") - reads, 1, 15);
        Assert.Empty(simulation.Writes.Writes.Skip(writes));
    }
}
