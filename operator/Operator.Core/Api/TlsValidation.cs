namespace Operator.Core;

/// <summary>What spec.tls may say, and that it says what the cluster was formed with.</summary>
static class TlsValidation
{
    static readonly TimeSpan Shortest = TimeSpan.FromHours(1);

    /// <summary>Far enough away for everybody, and near enough for a certificate's dates.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromDays(36500);

    public static string? Check(StoreCluster cluster)
    {
        var tls = cluster.Spec.Tls;
        if (tls is { Client: null, Peer: null }) return "spec.tls needs client, peer or both; leave spec.tls out for a cluster in clear";
        return Names(tls?.ExtraSans)
            ?? TlsSides.All.Select(side => Side(cluster, side)).FirstOrDefault(error => error is not null);
    }

    static string? Side(StoreCluster cluster, TlsSide side)
    {
        var (path, issuer) = ($"spec.tls.{side.Word()}", cluster.Spec.Issuer(side));
        var sources = new[] { ("selfSigned", issuer?.SelfSigned is not null), ("secretRefs", issuer?.SecretRefs is not null), ("certManager", issuer?.CertManager is not null) }.Where(source => source.Item2).Select(source => source.Item1).ToList();
        if (sources.Count > 1) return $"{path}.issuer has {string.Join(" and ", sources)}; name one source of certificates";
        if (issuer?.CertManager is { } manager && !(Lifetime.Parse(manager.Duration) >= Shortest && Lifetime.Parse(manager.Duration) <= Longest))
            return $"{path}.issuer.certManager.duration is \"{manager.Duration}\"; write it like 2160h, and at least 1h";
        return Lifetimes($"{path}.issuer.selfSigned", issuer?.SelfSigned) ?? Unchanged(cluster, side, path, issuer);
    }

    static string? Lifetimes(string path, SelfSignedSpec? spec)
    {
        if (spec is null) return null;
        if (Lifetime.Parse(spec.Validity) is not { } validity) return $"{path}.validity is \"{spec.Validity}\"; write it like 2160h, 90m or 3600s";
        if (Lifetime.Parse(spec.AuthorityValidity) is not { } authority) return $"{path}.authorityValidity is \"{spec.AuthorityValidity}\"; write it like 43800h";
        if (validity < Shortest) return $"{path}.validity is {spec.Validity}; use at least 1h: a new certificate takes minutes to reach everybody";
        if (authority > Longest) return $"{path}.authorityValidity is {spec.AuthorityValidity}; use at most 876000h";
        return authority < 3 * validity
            ? $"{path}.authorityValidity is {spec.AuthorityValidity}; use at least three times validity ({spec.Validity}): an authority is replaced after two thirds of its life"
            : null;
    }

    /// <summary>Written as certificates write them, or each look at one would find other names than are wanted.</summary>
    static string? Names(IReadOnlyList<string>? names)
    {
        foreach (var name in names ?? [])
        {
            var host = name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name;
            var kind = Uri.CheckHostName(host);
            if (kind is UriHostNameType.Unknown or UriHostNameType.Basic) return $"spec.tls.extraSANs has \"{name}\", which is neither a DNS name nor an address";
            var canonical = new Uri(kind == UriHostNameType.IPv6 ? $"https://[{host}]" : $"https://{host}").IdnHost;
            if (canonical != host) return $"spec.tls.extraSANs has \"{name}\"; write it \"{(host == name ? "" : "*.")}{canonical}\"";
        }

        return null;
    }

    /// <summary>Members know one another by their URLs, http or https, and so do clients: there is no moment at which all of them could change over.</summary>
    static string? Unchanged(StoreCluster cluster, TlsSide side, string path, IssuerSpec? issuer)
    {
        if (cluster.Status?.ClusterToken is null) return null;
        var latched = cluster.Status.Tls?.Of(side);
        if ((latched is null) != (issuer is null))
        {
            return $"{path} {(latched is null ? "was absent" : "was set")} when the cluster began, and that cannot be changed; make another StoreCluster "
                + $"{(latched is null ? "with" : "without")} it and move the data there with etcdctl snapshot or make-mirror";
        }

        return latched is not null && latched.Issuer != issuer!.Kind
            ? $"{path}.issuer was {latched.Issuer} when the cluster began, and that cannot be changed; make another StoreCluster and move the data there with etcdctl snapshot or make-mirror"
            : null;
    }
}
