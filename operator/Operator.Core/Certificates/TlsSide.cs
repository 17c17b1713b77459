namespace Operator.Core;

/// <summary>The two doors of a member, each with an authority of its own: what an application holds must not open the peers' door.</summary>
public enum TlsSide
{
    Client,
    Peer,
}

/// <summary>What a StoreCluster says of one side.</summary>
public static class TlsSides
{
    public static readonly IReadOnlyList<TlsSide> All = [TlsSide.Client, TlsSide.Peer];

    /// <summary>client or peer, as in names of objects and of fields.</summary>
    public static string Word(this TlsSide side) => side == TlsSide.Client ? "client" : "peer";

    /// <summary>Null when this side is in clear.</summary>
    public static IssuerSpec? Issuer(this StoreClusterSpec spec, TlsSide side) => side == TlsSide.Client ? spec.Tls?.Client?.Issuer : spec.Tls?.Peer?.Issuer;

    /// <summary>https or http.</summary>
    public static string Scheme(this StoreClusterSpec spec, TlsSide side) => spec.Issuer(side) is null ? "http" : "https";

    public static IEnumerable<TlsSide> WithTls(this StoreClusterSpec spec) => All.Where(side => spec.Issuer(side) is not null);

    /// <summary>What is latched before the first object is made: how members talk cannot be changed once they do.</summary>
    public static TlsStatus? Latch(StoreClusterSpec spec)
    {
        if (spec.Tls is null) return null;
        TlsSideStatus? Side(TlsSide side) => spec.Issuer(side) is { } issuer ? new TlsSideStatus { Issuer = issuer.Kind, Rotated = spec.Tls.Rotate } : null;
        return new TlsStatus { Client = Side(TlsSide.Client), Peer = Side(TlsSide.Peer) };
    }
}
