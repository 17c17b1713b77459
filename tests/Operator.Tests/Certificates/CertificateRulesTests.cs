using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>Which certificate is made, when, and why.</summary>
public sealed class CertificateRulesTests
{
    [Fact]
    public void At_rest_nothing_is_done()
    {
        var plan = new TlsWorld(3).Plan();
        Assert.Null(plan.Step);
        Assert.Equal(Plan.Steady, plan.Rule);
        Assert.Empty(plan.Blocked);
    }

    [Fact]
    public void How_members_talk_is_latched_with_the_clusters_name()
    {
        var plan = new World().Spec(spec => spec with { Tls = new TlsSpec { Client = new ClientTlsSpec(), Rotate = "first" } }).Plan();
        var tls = Assert.IsType<Step.MintToken>(plan.Step).Tls!;
        Assert.Equal(new TlsSideStatus { Issuer = "SelfSigned", Rotated = "first" }, tls.Client);
        Assert.Null(tls.Peer);
    }

    [Fact]
    public void The_authorities_come_first_then_the_operator_then_applications_then_the_seed()
    {
        var tls = new TlsSpec { Client = new ClientTlsSpec(), Peer = new PeerTlsSpec() };
        var world = new World().Spec(spec => spec with { Tls = tls }).Status(status => status with { ClusterToken = "token", Tls = TlsSides.Latch(new StoreClusterSpec { Tls = tls }) });
        Assert.Equal(new Step.MintAuthority(TlsSide.Client, Beside: null, Version: null), world.Plan().Step);
        world.Operation(Operations.Form, 1);
        world.Secret(new Authority(TlsWorld.Mint(World.Now), null, null).Secret(world.Cluster(), TlsSide.Client, version: "7"));
        foreach (var name in new[] { "orders-operator-tls", "orders-client-tls", "orders-1-server-tls" })
        {
            var issue = Assert.IsType<Step.IssueCertificate>(world.Plan().Step);
            Assert.Equal(name, issue.Wanted.Secret);
            world.Secret(Controller.CertificateSigner.Leaf(world.View(), issue));
        }

        Assert.Equal(new Step.MintAuthority(TlsSide.Peer, Beside: null, Version: null), world.Plan().Step);
    }

    [Fact]
    public void A_members_certificate_names_everything_that_it_is_dialled_by()
    {
        var world = new TlsWorld(1, new TlsSpec { Client = new ClientTlsSpec(), Peer = new PeerTlsSpec(), ExtraSans = ["store.example", "192.0.2.7"] });
        Assert.Equal(
            ["127.0.0.1", "192.0.2.7", "localhost", "orders", "orders-1-0.orders-peers", "orders-1-0.orders-peers.shop.svc", "orders-1-0.orders-peers.shop.svc.cluster.local", "orders.shop", "orders.shop.svc", "orders.shop.svc.cluster.local", "store.example"],
            world.Leaf("orders-1-server-tls").Names.Order(StringComparer.Ordinal));
        Assert.Contains("orders-1-0.orders-peers.shop.svc", world.Leaf("orders-1-peer-tls").Names);
        Assert.Empty(world.Leaf("orders-client-tls").Names);
    }

    [Theory]
    [InlineData("orders-operator-tls")]
    [InlineData("orders-client-tls")]
    [InlineData("orders-2-server-tls")]
    [InlineData("orders-3-peer-tls")]
    public void What_is_missing_is_signed_anew(string secret)
    {
        var issue = Assert.IsType<Step.IssueCertificate>(new TlsWorld(3).Without(secret).Plan().Step);
        Assert.Equal((secret, "it is missing"), (issue.Wanted.Secret, issue.Why));
    }

    [Fact]
    public void What_cannot_be_read_is_signed_anew()
    {
        var world = new TlsWorld(3);
        world.Secret("orders-2-server-tls").Data["tls.key"] = world.Secret("orders-1-server-tls").Data["tls.key"];
        Assert.Equal("orders-2-server-tls", Assert.IsType<Step.IssueCertificate>(world.Plan().Step).Wanted.Secret);
    }

    [Theory]
    [InlineData(19, false)]
    [InlineData(20, true)]
    public void A_certificate_is_renewed_after_two_thirds_of_its_life(int days, bool renewed)
    {
        var world = new TlsWorld(3);
        world.Issue(WantedCertificate.Of(Diagnosis.Of(world.View()), TlsSide.Peer).Last(), World.Now.AddDays(-days));
        var issue = world.Plan().Step as Step.IssueCertificate;
        Assert.Equal(renewed ? "it is old" : null, issue?.Why);
    }

    [Fact]
    public void A_new_name_is_signed_for()
    {
        var world = new TlsWorld(3);
        world.Base.Spec(spec => spec with { Tls = spec.Tls! with { ExtraSans = ["store.example"] } });
        var issue = Assert.IsType<Step.IssueCertificate>(world.Plan().Step);
        Assert.Equal(("orders-1-server-tls", "its names have changed"), (issue.Wanted.Secret, issue.Why));
    }

    [Fact]
    public void Whom_to_trust_is_told_without_signing_anew()
    {
        var world = new TlsWorld(3);
        var before = world.Leaf("orders-operator-tls");
        world.Put(TlsSide.Client, world.Authority(TlsSide.Client) with { Next = TlsWorld.Mint(World.Now) });
        world.Rotation(TlsSide.Client, RotationStatus.Announcing, world.Authority(TlsSide.Client).Current.Key);
        var secret = Assert.IsType<V1Secret>(Assert.IsType<Step.Apply>(world.Plan().Step).Object);
        Assert.Equal("orders-operator-tls", secret.Metadata.Name);
        Assert.Equal(before.Pem, OwnedSecret.Text(secret, "tls.crt"));
        Assert.Equal(world.Authority(TlsSide.Client).Bundle, OwnedSecret.Text(secret, "ca.crt"));
    }

    [Fact]
    public void A_lost_authority_comes_back_without_its_key_and_is_then_replaced()
    {
        var world = new TlsWorld(3);
        var lost = world.Authority(TlsSide.Peer).Current;
        world.Without("orders-peer-ca");
        var found = Assert.IsType<V1Secret>(Assert.IsType<Step.Apply>(world.Plan().Step).Object);
        Assert.Equal(lost.Pem.Trim(), OwnedSecret.Text(found, "ca.crt")!.Trim());
        Assert.False(found.Data.ContainsKey("ca.key"));
        var rotate = Assert.IsType<Step.Rotate>(world.Replace(found).Plan().Step);
        Assert.Equal((TlsSide.Peer, "its key is lost", lost.Key), (rotate.Side, rotate.Rotation.Reason, rotate.Rotation.Replaces));
    }

    [Fact]
    public void The_keys_of_a_member_that_is_gone_are_deleted()
    {
        var world = new TlsWorld(3);
        var left = CertificateSecret.OfLeaf(world.Base.Cluster(), "orders-9-peer-tls", "x", "x", "x", World.Now);
        left.Metadata.Uid = "left";
        Assert.Equal(new Step.DeleteSecret("orders-9-peer-tls", "left"), world.Replace(left).Plan().Step);
    }

    [Fact]
    public void Secrets_that_may_not_be_read_stop_the_pass_and_say_what_to_do()
    {
        var world = new TlsWorld(3);
        world.Base.SecretsRefused("403 Forbidden: no");
        var plan = Planner.Decide(Diagnosis.Of(world.Base.View()));
        Assert.Null(plan.Step);
        var blocked = Assert.Single(plan.Blocked);
        Assert.Equal(("Certificates", "SecretsUnreadable"), (blocked.Rule, blocked.Reason));
        Assert.Contains("secretNamespaces", blocked.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cluster_that_talks_in_clear_cannot_be_given_TLS()
    {
        var world = new World().Formed(3).Spec(spec => spec with { Tls = new TlsSpec { Client = new ClientTlsSpec() } });
        var plan = world.Plan();
        Assert.Null(plan.Step);
        Assert.Equal("InvalidSpec", Assert.Single(plan.Blocked).Reason);
        Assert.Contains("spec.tls.client was absent when the cluster began", plan.Blocked[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TLS_cannot_be_taken_from_a_cluster()
    {
        var world = new TlsWorld(3);
        world.Base.Spec(spec => spec with { Tls = null });
        Assert.Contains("spec.tls.client was set when the cluster began", Assert.Single(world.Plan().Blocked).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Status_lists_every_certificate_and_who_shows_his()
    {
        var world = new TlsWorld(3).Loaded("orders-1-server-tls");
        world.Shakes(2, TlsSide.Client, new Handshake(world.Leaf("orders-2-server-tls").Serial, AcceptsNext: false));
        world.Shakes(3, TlsSide.Client, new Handshake("5eed", AcceptsNext: false));
        var status = world.Report();
        Assert.Equal(10, status.Tls!.Certificates!.Count);
        bool? Loaded(string name) => status.Tls.Certificates.Single(certificate => certificate.Name == name).Loaded;
        Assert.Equal([true, true, false, null], new[] { "orders-1-server-tls", "orders-2-server-tls", "orders-3-server-tls", "orders-client-tls" }.Select(Loaded));
        var condition = status.Conditions!.Single(condition => condition.Type == ConditionTypes.CertificatesReady);
        Assert.Equal(("True", "Loading"), (condition.Status, condition.Reason));
    }

    [Fact]
    public void An_expired_certificate_is_said_to_be_one()
    {
        var world = new TlsWorld(3);
        world.Issue(WantedCertificate.Of(Diagnosis.Of(world.View()), TlsSide.Client).Last(), World.Now.AddDays(-31));
        var condition = world.Report().Conditions!.Single(condition => condition.Type == ConditionTypes.CertificatesReady);
        Assert.Equal(("False", "Expired"), (condition.Status, condition.Reason));
    }
}
