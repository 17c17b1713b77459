using k8s.Models;
using Operator.Controller;
using Operator.Core;

namespace Operator.Tests;

/// <summary>A formed cluster with TLS on both sides: authorities, a Secret for each certificate, and members that were seen to show theirs. Tests then age, take
/// away or replace one thing.</summary>
internal sealed class TlsWorld
{
    private readonly World _world;
    private readonly Dictionary<string, V1Secret> _secrets = new(StringComparer.Ordinal);
    private readonly List<CertificateStatus> _loaded = [];

    public TlsWorld(int members, TlsSpec? tls = null)
    {
        Spec = tls ?? new TlsSpec { Client = new ClientTlsSpec(), Peer = new PeerTlsSpec() };
        _world = new World().Spec(spec => spec with { Tls = Spec }).Formed(members);
        foreach (var side in _world.Cluster().Spec.WithTls())
        {
            Put(side, new Authority(Mint(World.Now.AddDays(-60)), Next: null, Previous: null));
            foreach (var wanted in WantedCertificate.Of(Diagnosis.Of(_world.View()), side)) Issue(wanted, World.Now);
        }

        _world.Status(status => status with { Tls = TlsSides.Latch(_world.Cluster().Spec) });
    }

    public TlsSpec Spec { get; }

    public World Base => _world;

    public static Certificate Mint(DateTime at) => CertificateMinter.Authority("test", TimeSpan.FromDays(300), at);

    public Authority Authority(TlsSide side) => Core.Authority.Read(_secrets[CertificateNames.Authority("orders", side)])!;

    public Certificate Leaf(string secret) => Certificate.Read(_secrets[secret], "tls.crt", "tls.key")!;

    public V1Secret Secret(string name) => _secrets[name];

    public TlsWorld Put(TlsSide side, Authority authority)
    {
        var secret = authority.Secret(_world.Cluster(), side, version: "7");
        _secrets[secret.Metadata.Name] = secret;
        return this;
    }

    public TlsWorld Without(string secret)
    {
        _secrets.Remove(secret);
        return this;
    }

    public TlsWorld Replace(V1Secret secret)
    {
        _secrets[secret.Metadata.Name] = secret;
        return this;
    }

    /// <summary>Signed by the authority in use, at that time, for 30 days, trusting what is to be trusted now.</summary>
    public TlsWorld Issue(WantedCertificate wanted, DateTime at)
    {
        var authority = Authority(wanted.Side);
        var (pem, key) = CertificateMinter.Leaf(authority.Current, wanted.CommonName, wanted.Names, TimeSpan.FromDays(30), at);
        return Replace(CertificateSecret.OfLeaf(_world.Cluster(), wanted.Secret, pem, key, authority.Bundle, at));
    }

    /// <summary>Every certificate of the side anew.</summary>
    public TlsWorld IssueAll(TlsSide side, DateTime at)
    {
        foreach (var wanted in WantedCertificate.Of(Diagnosis.Of(_world.View()), side).ToList()) Issue(wanted, at);
        return this;
    }

    public TlsWorld Rotation(TlsSide side, string phase, string replaces) => Latched(side, latched => latched with { Rotation = new RotationStatus { Phase = phase, Replaces = replaces, Request = Spec.Rotate } });

    public TlsWorld Latched(TlsSide side, Func<TlsSideStatus, TlsSideStatus> change)
    {
        _world.Status(status => status with { Tls = status.Tls!.With(side, change(status.Tls.Of(side)!)) });
        return this;
    }

    /// <summary>As an earlier pass saw it.</summary>
    public TlsWorld Loaded(params string[] secrets)
    {
        foreach (var name in secrets)
            _loaded.Add(new CertificateStatus { Name = name, Serial = Leaf(name).Serial, NotAfter = Leaf(name).NotAfter, RenewAt = Leaf(name).RenewAt, Loaded = true });
        _world.Status(status => status with { Tls = status.Tls! with { Certificates = _loaded } });
        return this;
    }

    public TlsWorld Shakes(int member, TlsSide side, Handshake handshake)
    {
        _world.Handshake(member, side, handshake);
        return this;
    }

    public ClusterView View() => _world.View() with { Secrets = [.. _secrets.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value)] };

    public Plan Plan() => Planner.Decide(Diagnosis.Of(View()));

    public StoreClusterStatus Report() => StatusReport.Build(Diagnosis.Of(View()), Plan(), error: null);
}
