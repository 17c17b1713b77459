using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>How an authority is replaced: each phase, what it waits for, and what it writes.</summary>
public sealed class AuthorityRotationTests
{
    const TlsSide Side = TlsSide.Peer;

    [Theory]
    [InlineData(199, null, null)]
    [InlineData(200, null, "it is old")]
    [InlineData(1, "today", "spec.tls.rotate is \"today\"")]
    public void It_begins_by_age_and_on_request(int days, string? request, string? reason)
    {
        var world = new TlsWorld(3, new TlsSpec { Peer = new PeerTlsSpec() });
        world.Put(Side, new Authority(TlsWorld.Mint(World.Now.AddDays(-days)), null, null)).IssueAll(Side, World.Now);
        world.Base.Spec(spec => spec with { Tls = spec.Tls! with { Rotate = request } });
        var rotate = world.Plan().Step as Step.Rotate;
        Assert.Equal(reason, rotate?.Rotation.Reason);
        if (reason is null) return;
        Assert.Equal((RotationStatus.Announcing, world.Authority(Side).Current.Key, request), (rotate!.Rotation.Phase, rotate.Rotation.Replaces, rotate.Rotation.Request));
    }

    [Fact]
    public void A_request_that_was_answered_is_not_answered_again()
    {
        var world = new TlsWorld(3, new TlsSpec { Peer = new PeerTlsSpec(), Rotate = "today" });
        Assert.Null(world.Plan().Step);
    }

    [Fact]
    public void The_next_authority_is_made_once()
    {
        var world = new TlsWorld(3);
        var authority = world.Authority(Side);
        world.Rotation(Side, RotationStatus.Announcing, authority.Current.Key);
        var mint = Assert.IsType<Step.MintAuthority>(world.Plan().Step);
        Assert.Equal((Side, "7"), (mint.Side, mint.Version));
        var next = Announced();
        Assert.IsNotType<Step.MintAuthority>(next.Plan().Step);
    }

    [Fact]
    public void A_view_older_than_the_Secret_makes_nothing()
    {
        var world = new TlsWorld(3).Rotation(Side, RotationStatus.Announcing, "an authority that is gone already");
        Assert.Null(world.Plan().Step);
        Assert.Equal("AuthorityUnclear", Assert.Single(world.Plan().Blocked).Reason);
    }

    [Fact]
    public void Nobody_gets_a_certificate_of_it_before_every_member_accepts_one()
    {
        var world = Announced();
        Accept(world, 1, 2);
        Assert.Null(world.Plan().Step);
        var blocked = Assert.Single(world.Plan().Blocked);
        Assert.Equal("AuthorityNotTrustedYet", blocked.Reason);
        Assert.StartsWith("orders-3 ", blocked.Message, StringComparison.Ordinal);
        Accept(world, 3);
        Assert.Equal(RotationStatus.Reissuing, Assert.IsType<Step.Rotate>(world.Plan().Step).Rotation.Phase);
    }

    [Fact]
    public void A_member_without_a_pod_is_not_waited_for()
    {
        var world = Announced();
        world.Base.Member(3, member => member.HasPod = member.Answers = false);
        Accept(world, 1, 2);
        Assert.IsType<Step.Rotate>(world.Plan().Step);
    }

    [Fact]
    public void Applications_have_their_time()
    {
        var world = new TlsWorld(1, new TlsSpec { Client = new ClientTlsSpec(), OverlapSeconds = 300 });
        var before = world.Authority(TlsSide.Client);
        world.Put(TlsSide.Client, before with { Next = TlsWorld.Mint(World.Now) }).Rotation(TlsSide.Client, RotationStatus.Announcing, before.Current.Key);
        world.Shakes(1, TlsSide.Client, new Handshake("1", AcceptsNext: true));
        world.IssueAll(TlsSide.Client, World.Now.AddSeconds(-299));
        Assert.Equal("AuthorityOverlap", Assert.Single(world.Plan().Blocked).Reason);
        world.IssueAll(TlsSide.Client, World.Now.AddSeconds(-300));
        Assert.IsType<Step.Rotate>(world.Plan().Step);
    }

    [Fact]
    public void Where_the_key_is_lost_the_next_authority_signs_what_a_pod_waits_for()
    {
        var world = Announced();
        var lost = world.Authority(Side);
        world.Put(Side, lost with { Current = lost.Current with { KeyPem = null } }).Without("orders-2-peer-tls");
        var issue = Assert.IsType<Step.IssueCertificate>(world.Plan().Step);
        Assert.Equal(("orders-2-peer-tls", "it is missing"), (issue.Wanted.Secret, issue.Why));
        world.Replace(Controller.CertificateSigner.Leaf(world.View(), issue));
        Assert.Equal(lost.Next!.Key, world.Leaf("orders-2-peer-tls").SignedBy);
        // It trusts both, as all others do: nothing is written again.
        Assert.Null(world.Plan().Step);
        Assert.Equal("AuthorityNotTrustedYet", Assert.Single(world.Plan().Blocked).Reason);
    }

    [Fact]
    public void The_next_authority_takes_over_and_the_old_key_is_gone()
    {
        var world = Announced();
        var before = world.Authority(Side);
        world.Rotation(Side, RotationStatus.Reissuing, before.Current.Key);
        var secret = Assert.IsType<V1Secret>(Assert.IsType<Step.Apply>(world.Plan().Step).Object);
        Assert.Equal("7", secret.Metadata.ResourceVersion);
        Assert.Equal(["ca.crt", "ca.key", "previous.crt"], secret.Data.Keys.Order());
        var after = Authority.Read(secret)!;
        Assert.Equal((before.Next!.Key, before.Current.Key), (after.Current.Key, after.Previous!.Key));
    }

    [Fact]
    public void Then_every_certificate_is_signed_anew_and_seen()
    {
        var world = Promoted();
        var issue = Assert.IsType<Step.IssueCertificate>(world.Plan().Step);
        Assert.Equal(("orders-1-peer-tls", "its authority is not the one in use"), (issue.Wanted.Secret, issue.Why));
        world.IssueAll(Side, World.Now);
        Assert.Equal("CertificateNotLoaded", Assert.Single(world.Plan().Blocked).Reason);
        foreach (var member in new[] { 1, 2, 3 }) world.Shakes(member, Side, new Handshake(world.Leaf($"orders-{member}-peer-tls").Serial, AcceptsNext: false));
        Assert.Equal(RotationStatus.Retiring, Assert.IsType<Step.Rotate>(world.Plan().Step).Rotation.Phase);
    }

    [Fact]
    public void Last_the_old_one_is_taken_away_everywhere()
    {
        var world = Promoted().IssueAll(Side, World.Now);
        var replaced = world.Authority(Side).Previous!.Key;
        world.Rotation(Side, RotationStatus.Retiring, replaced);
        var secret = Assert.IsType<V1Secret>(Assert.IsType<Step.Apply>(world.Plan().Step).Object);
        Assert.Equal(["ca.crt", "ca.key"], secret.Data.Keys.Order());
        world.Replace(secret);
        foreach (var member in new[] { 1, 2, 3 })
        {
            var told = Assert.IsType<V1Secret>(Assert.IsType<Step.Apply>(world.Plan().Step).Object);
            Assert.Equal($"orders-{member}-peer-tls", told.Metadata.Name);
            world.Replace(told);
        }

        Assert.IsType<Step.FinishRotation>(world.Plan().Step);
    }

    [Theory]
    [InlineData(true, RotationStatus.Announcing)]
    [InlineData(false, RotationStatus.Reissuing)]
    public void A_rotation_that_status_has_lost_goes_on_where_the_Secret_says(bool announced, string phase)
    {
        var world = announced ? Announced() : Promoted();
        world.Latched(Side, latched => latched with { Rotation = null });
        Assert.Equal(phase, Assert.IsType<Step.Rotate>(world.Plan().Step).Rotation.Phase);
    }

    [Fact]
    public void What_it_waits_for_keeps_nobody_else_from_acting()
    {
        var world = Announced();
        world.Base.Spec(spec => spec with { Replicas = 5 });
        Assert.Equal("Scale", world.Plan().Rule);
    }

    [Fact]
    public void A_pod_that_was_seen_to_refuse_the_next_authority_is_touched_once_for_what_its_Secret_holds()
    {
        var world = Announced();
        Accept(world, 1, 3);
        // Nobody answered: that tells nothing of what the pod has.
        Assert.Null(world.Plan().Step);
        world.Shakes(2, Side, new Handshake("1", AcceptsNext: false));
        var refresh = Assert.IsType<Step.RefreshPod>(world.Plan().Step);
        Assert.Equal("orders-2-0", refresh.Pod);
        var view = world.View();
        view.Pods.Single(pod => pod.Metadata.Name == refresh.Pod).Metadata.Annotations[Annotations.Certificates] = refresh.Contents;
        Assert.Null(Planner.Decide(Diagnosis.Of(view)).Step);
    }

    [Fact]
    public void A_pod_that_was_seen_to_show_another_certificate_than_its_Secret_holds_is_touched_and_one_that_shows_it_is_not()
    {
        var world = new TlsWorld(3);
        world.Shakes(1, Side, new Handshake(world.Leaf("orders-1-peer-tls").Serial, AcceptsNext: false));
        Assert.Null(world.Plan().Step);
        world.Shakes(1, Side, new Handshake("1", AcceptsNext: false));
        Assert.Equal("orders-1-0", Assert.IsType<Step.RefreshPod>(world.Plan().Step).Pod);
    }

    static TlsWorld Announced()
    {
        var world = new TlsWorld(3);
        var authority = world.Authority(Side);
        return world.Put(Side, authority with { Next = TlsWorld.Mint(World.Now) }).IssueAll(Side, World.Now).Rotation(Side, RotationStatus.Announcing, authority.Current.Key);
    }

    /// <summary>Every Secret tells to trust both; the certificates are still of the old one.</summary>
    static TlsWorld Promoted()
    {
        var world = Announced();
        var (old, next) = (world.Authority(Side).Current, world.Authority(Side).Next!);
        var promoted = new Authority(next, Next: null, old with { KeyPem = null });
        foreach (var member in new[] { 1, 2, 3 })
        {
            var (name, leaf) = ($"orders-{member}-peer-tls", world.Leaf($"orders-{member}-peer-tls"));
            world.Replace(CertificateSecret.OfLeaf(world.Base.Cluster(), name, leaf.Pem, leaf.KeyPem!, promoted.Bundle, World.Now));
        }

        return world.Put(Side, promoted).Rotation(Side, RotationStatus.Reissuing, old.Key);
    }

    static void Accept(TlsWorld world, params int[] members)
    {
        foreach (var member in members) world.Shakes(member, Side, new Handshake("1", AcceptsNext: true));
    }
}
