using k8s.Models;
using Operator.Controller;
using Operator.Core;

namespace Operator.Tests;

/// <summary>A formed cluster with TLS on both sides: authorities, a Secret for each certificate, and members that were seen to show theirs. Tests then age, take
/// away or replace one thing.</summary>
sealed class TlsWorld
{
    readonly World world;
    readonly Dictionary<string, V1Secret> secrets = new(StringComparer.Ordinal);
    readonly List<CertificateStatus> loaded = [];

    public TlsWorld(int members, TlsSpec? tls = null)
    {
        Spec = tls ?? new TlsSpec { Client = new ClientTlsSpec(), Peer = new PeerTlsSpec() };
        world = new World().Spec(spec => spec with { Tls = Spec }).Formed(members);
        foreach (var side in world.Cluster().Spec.WithTls())
        {
            Put(side, new Authority(Mint(World.Now.AddDays(-60)), Next: null, Previous: null));
            foreach (var wanted in WantedCertificate.Of(Diagnosis.Of(world.View()), side)) Issue(wanted, World.Now);
        }

        world.Status(status => status with { Tls = TlsSides.Latch(world.Cluster().Spec) });
    }

    public TlsSpec Spec { get; }

    public World Base => world;

    public static Certificate Mint(DateTime at) => CertificateMinter.Authority("test", TimeSpan.FromDays(300), at);

    public Authority Authority(TlsSide side) => Core.Authority.Read(secrets[CertificateNames.Authority("orders", side)])!;

    public Certificate Leaf(string secret) => Certificate.Read(secrets[secret], "tls.crt", "tls.key")!;

    public V1Secret Secret(string name) => secrets[name];

    public TlsWorld Put(TlsSide side, Authority authority)
    {
        var secret = authority.Secret(world.Cluster(), side, version: "7");
        secrets[secret.Metadata.Name] = secret;
        return this;
    }

    public TlsWorld Without(string secret)
    {
        secrets.Remove(secret);
        return this;
    }

    public TlsWorld Replace(V1Secret secret)
    {
        secrets[secret.Metadata.Name] = secret;
        return this;
    }

    /// <summary>Signed by the authority in use, at that time, for 30 days, trusting what is to be trusted now.</summary>
    public TlsWorld Issue(WantedCertificate wanted, DateTime at)
    {
        var authority = Authority(wanted.Side);
        var (pem, key) = CertificateMinter.Leaf(authority.Current, wanted.CommonName, wanted.Names, TimeSpan.FromDays(30), at);
        return Replace(CertificateSecret.OfLeaf(world.Cluster(), wanted.Secret, pem, key, authority.Bundle, at));
    }

    /// <summary>Every certificate of the side anew.</summary>
    public TlsWorld IssueAll(TlsSide side, DateTime at)
    {
        foreach (var wanted in WantedCertificate.Of(Diagnosis.Of(world.View()), side).ToList()) Issue(wanted, at);
        return this;
    }

    public TlsWorld Rotation(TlsSide side, string phase, string replaces) => Latched(side, latched => latched with { Rotation = new RotationStatus { Phase = phase, Replaces = replaces, Request = Spec.Rotate } });

    public TlsWorld Latched(TlsSide side, Func<TlsSideStatus, TlsSideStatus> change)
    {
        world.Status(status => status with { Tls = status.Tls!.With(side, change(status.Tls.Of(side)!)) });
        return this;
    }

    /// <summary>As an earlier pass saw it.</summary>
    public TlsWorld Loaded(params string[] secrets)
    {
        foreach (var name in secrets)
            loaded.Add(new CertificateStatus { Name = name, Serial = Leaf(name).Serial, NotAfter = Leaf(name).NotAfter, RenewAt = Leaf(name).RenewAt, Loaded = true });
        world.Status(status => status with { Tls = status.Tls! with { Certificates = loaded } });
        return this;
    }

    public TlsWorld Shakes(int member, TlsSide side, Handshake handshake)
    {
        world.Handshake(member, side, handshake);
        return this;
    }

    public ClusterView View() => world.View() with { Secrets = [.. secrets.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value)] };

    public Plan Plan() => Planner.Decide(Diagnosis.Of(View()));

    public StoreClusterStatus Report() => StatusReport.Build(Diagnosis.Of(View()), Plan(), error: null);
}
