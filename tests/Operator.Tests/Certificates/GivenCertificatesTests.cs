using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>Certificates of Secrets that somebody else keeps: what is wrong with them is said, and nothing is written to them.</summary>
public sealed class GivenCertificatesTests
{
    static readonly TlsSpec Tls = new() { Client = new ClientTlsSpec { Issuer = new IssuerSpec { SecretRefs = new SecretRefsSpec { Member = new LocalReference { Name = "corporate" } } } } };

    [Fact]
    public void A_missing_Secret_stops_a_cluster_before_it_begins_and_is_named()
    {
        var world = new World().Spec(spec => spec with { Tls = Tls }).Status(status => status with { ClusterToken = "token", Tls = TlsSides.Latch(new StoreClusterSpec { Tls = Tls }) });
        var plan = world.Plan();
        Assert.Null(plan.Step);
        Assert.Equal(("Certificates", "SecretMissing"), (Assert.Single(plan.Blocked).Rule, plan.Blocked[0].Reason));
        var status = StatusReport.Build(Diagnosis.Of(world.View()), plan, error: null);
        foreach (var type in new[] { ConditionTypes.Ready, ConditionTypes.CertificatesReady })
        {
            var condition = status.Conditions!.Single(condition => condition.Type == type);
            Assert.Equal(("False", "SecretMissing"), (condition.Status, condition.Reason));
            Assert.Contains("Secret corporate, which spec.tls.client.issuer.secretRefs names, does not exist in namespace shop", condition.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_Secret_that_goes_later_is_said_and_members_go_on()
    {
        var world = Formed();
        var plan = world.Plan();
        Assert.Null(plan.Step);
        Assert.Equal(("Steady", "SecretMissing"), (plan.Rule, Assert.Single(plan.Blocked).Reason));
    }

    public static TheoryData<string, string, string> Flaws => new()
    {
        { "without key", "SecretInvalid", "Secret corporate has no tls.key; it needs tls.crt, tls.key and ca.crt" },
        { "without authority", "SecretInvalid", "Secret corporate has no ca.crt" },
        { "empty certificate", "SecretInvalid", "Secret corporate has no tls.crt" },
        { "not PEM", "SecretInvalid", "tls.crt of Secret corporate is no certificate in PEM" },
        { "authority not PEM", "SecretInvalid", "ca.crt of Secret corporate is no certificate in PEM" },
        { "another's key", "SecretInvalid", "tls.key of Secret corporate is not the key of its tls.crt" },
        { "expired", "Expired", "the certificate in Secret corporate expired at 2026-11-22" },
        { "of tomorrow", "CertificateUntrusted", "is not valid before 2026-11-24" },
        { "another authority", "CertificateUntrusted", "is signed by none of the authorities in its ca.crt" },
        { "with an authority that ended", "CertificateUntrusted", "has an authority that is not valid now" },
        { "for clients alone", "CertificateUntrusted", "is not good for servers and clients" },
        { "for one member", "SecretInvalid", "is not for orders-2-0.orders-peers.shop.svc; it has to be for that name, or for *.orders-peers.shop.svc" },
    };

    [Theory]
    [MemberData(nameof(Flaws))]
    public void What_is_wrong_with_a_Secret_is_said(string flaw, string reason, string said)
    {
        var plan = Formed().Given(Flawed(flaw)).Plan();
        var blocked = Assert.Single(plan.Blocked);
        Assert.Equal(("Certificates", reason), (blocked.Rule, blocked.Reason));
        Assert.Contains(said, blocked.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_good_Secret_is_no_matter_and_neither_is_one_with_an_intermediate_authority()
    {
        Assert.Empty(Formed().Given(Flawed("")).Plan().Blocked);
        var root = ForeignAuthority.Root(World.Now);
        var between = root.Intermediate();
        var (pem, key) = between.Sign([Wildcard], World.Now, World.Now.AddDays(30));
        // Sent along by who shows the certificate, with the root trusted; or trusted itself, without the root.
        Assert.Empty(Formed().Given(Secret(pem + between.Pem, key, root.Pem)).Plan().Blocked);
        Assert.Empty(Formed().Given(Secret(pem, key, between.Pem)).Plan().Blocked);
        Assert.Equal("CertificateUntrusted", Assert.Single(Formed().Given(Secret(pem, key, root.Pem)).Plan().Blocked).Reason);
    }

    [Fact]
    public void Nobody_is_restarted_into_a_Secret_that_would_not_serve()
    {
        World Outdated() => Formed().Member(2, member => member.PodImage = "localhost/store:old");
        Assert.IsType<Step.DeletePod>(Outdated().Given(Flawed("")).Plan().Step);
        var plan = Outdated().Given(Flawed("expired")).Plan();
        Assert.Null(plan.Step);
        Assert.Contains(plan.Blocked, blocked => blocked is { Rule: "Roll", Reason: "Expired" } && blocked.Message!.StartsWith("orders-2 keeps running as it is", StringComparison.Ordinal));
        Assert.Contains(Outdated().Plan().Blocked, blocked => blocked is { Rule: "Roll", Reason: "SecretMissing" });
        Assert.Contains(Outdated().Given(Flawed("for one member")).Plan().Blocked, blocked => blocked is { Rule: "Roll", Reason: "SecretInvalid" }
            && blocked.Message!.StartsWith("orders-2 keeps running as it is: the certificate in Secret corporate is not for orders-2-0.orders-peers.shop.svc", StringComparison.Ordinal));
    }

    [Fact]
    public void All_members_mount_the_one_Secret_and_another_name_is_another_template()
    {
        var cluster = Formed().Cluster();
        var set = MemberStatefulSet.Build(cluster, new MemberName("orders", 1), Ticket.Sealed(new MemberName("orders", 1), "shop"), "token", World.Image);
        Assert.Equal("corporate", set.Spec.Template.Spec.Volumes.Single(volume => volume.Name == "tls-client").Secret.SecretName);
        var renamed = cluster with { Spec = cluster.Spec with { Tls = Tls with { Client = new ClientTlsSpec { Issuer = new IssuerSpec { SecretRefs = new SecretRefsSpec { Member = new LocalReference { Name = "other" } } } } } } };
        Assert.NotEqual(MemberStatefulSet.Render(cluster, World.Image), MemberStatefulSet.Render(renamed, World.Image));
    }

    [Fact]
    public void Where_certificates_come_from_cannot_be_changed()
    {
        var world = Formed().Spec(spec => spec with { Tls = new TlsSpec { Client = new ClientTlsSpec() } });
        Assert.Contains("spec.tls.client.issuer was SecretRefs when the cluster began", Assert.Single(world.Plan().Blocked).Message, StringComparison.Ordinal);
    }

    static World Formed() => new World().Spec(spec => spec with { Tls = Tls }).Formed(3).Status(status => status with { Tls = TlsSides.Latch(new StoreClusterSpec { Tls = Tls }) });

    const string Wildcard = "*.orders-peers.shop.svc", ClientPurpose = "1.3.6.1.5.5.7.3.2";

    static V1Secret Flawed(string flaw)
    {
        var now = World.Now;
        var authority = ForeignAuthority.Root(now);
        var (from, until) = flaw switch { "expired" => (now.AddDays(-31), now.AddDays(-1)), "of tomorrow" => (now.AddDays(1), now.AddDays(2)), _ => (now, now.AddDays(30)) };
        var (pem, key) = authority.Sign([flaw == "for one member" ? "orders-1-0.orders-peers.shop.svc" : Wildcard], from, until, flaw == "for clients alone" ? [ClientPurpose] : null);
        return flaw switch
        {
            "without key" => Secret(pem, "", authority.Pem),
            "without authority" => Secret(pem, key, ""),
            "empty certificate" => Secret("", key, authority.Pem),
            "not PEM" => Secret("DER would be shorter", key, authority.Pem),
            "authority not PEM" => Secret(pem, key, "see the intranet"),
            "another's key" => Secret(pem, authority.Sign([], from, until).KeyPem, authority.Pem),
            "with an authority that ended" => Secret(pem, key, authority.PemOf(now.AddDays(-50), now.AddDays(-1))),
            "another authority" => Secret(pem, key, ForeignAuthority.Root(now).Pem),
            _ => Secret(pem, key, authority.Pem),
        };
    }

    static V1Secret Secret(string certificate, string key, string authority) => ForeignAuthority.Secret("corporate", certificate, key, authority);
}
