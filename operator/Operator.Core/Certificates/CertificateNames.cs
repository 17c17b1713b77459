namespace Operator.Core;

/// <summary>The Secrets of a cluster's certificates, and the names in them.</summary>
public static class CertificateNames
{
    /// <summary>The authority and its key. Nobody mounts it.</summary>
    public static string Authority(string cluster, TlsSide side) => $"{cluster}-{side.Word()}-ca";

    /// <summary>What a member shows to clients, or to the other members.</summary>
    public static string Member(MemberName member, TlsSide side) => side == TlsSide.Client ? $"{member}-server-tls" : $"{member}-peer-tls";

    /// <summary>What this operator shows to members.</summary>
    public static string Operator(string cluster) => $"{cluster}-operator-tls";

    /// <summary>For applications to mount: what to trust, and a certificate to show.</summary>
    public static string Applications(string cluster) => $"{cluster}-client-tls";

    /// <summary>The member that a Secret of this cluster belongs to; null for those of nobody.</summary>
    public static MemberName? OwnerOf(string cluster, string secret)
    {
        foreach (var suffix in new[] { "-server-tls", "-peer-tls" })
        {
            if (secret.EndsWith(suffix, StringComparison.Ordinal) && MemberName.Parse(cluster, secret[..^suffix.Length]) is { } member) return member;
        }

        return null;
    }

    /// <summary>Every name that somebody may dial a member by. The domain is cluster.local nearly everywhere; where it is not, the shorter names do.</summary>
    public static IReadOnlyList<string> Of(StoreCluster cluster, MemberName member, TlsSide side)
    {
        var (name, space) = (cluster.Metadata.Name, cluster.Metadata.NamespaceProperty);
        var host = member.Host(space);
        if (side == TlsSide.Peer) return [host, $"{host}.cluster.local", "localhost", "127.0.0.1"];
        var service = Names.ClientService(name);
        return
        [
            .. new[]
            {
                host, $"{host}.cluster.local", $"{member.Pod}.{Names.PeerService(name)}", service, $"{service}.{space}", $"{service}.{space}.svc", $"{service}.{space}.svc.cluster.local", "localhost", "127.0.0.1",
            }.Concat(cluster.Spec.Tls?.ExtraSans ?? []).Distinct(StringComparer.Ordinal),
        ];
    }
}
