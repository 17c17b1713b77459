using System.Globalization;

namespace Operator.Core;

/// <summary>The n-th member that a cluster ever had, such as <c>orders-3</c>. Its StatefulSet has this name, its pod <c>orders-3-0</c>, its volume claim
/// <c>data-orders-3-0</c>. A number is given away once, so nothing left of an old member can be taken for a new one.</summary>
public readonly record struct MemberName(string Cluster, int Number) : IComparable<MemberName>
{
    public string Pod => $"{this}-0";

    public string Claim => $"data-{this}-0";

    /// <summary>The name that the other members and clients resolve; without the cluster's domain, which is not always cluster.local.</summary>
    public string Host(string @namespace) => $"{Pod}.{Names.PeerService(Cluster)}.{@namespace}.svc";

    public string PeerUrl(string @namespace, string scheme = "http") => $"{scheme}://{Host(@namespace)}:{Ports.Peer}";

    public string ClientUrl(string @namespace, string scheme = "http") => $"{scheme}://{Host(@namespace)}:{Ports.Client}";

    /// <summary>Reads <c>orders-3</c>; null for names that are not a member of this cluster.</summary>
    public static MemberName? Parse(string cluster, string? name)
    {
        if (name is null || !name.StartsWith(cluster + "-", StringComparison.Ordinal)) return null;
        var digits = name.AsSpan(cluster.Length + 1);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && digits[0] != '0'
            ? new MemberName(cluster, number)
            : null;
    }

    /// <summary>Reads <c>orders-3-0</c>; null for pods that are none of this cluster's members.</summary>
    public static MemberName? OfPod(string cluster, string pod) => pod.EndsWith("-0", StringComparison.Ordinal) ? Parse(cluster, pod[..^2]) : null;

    /// <summary>The member that a peer URL belongs to. A member that was added but has not started has no name in the member list, only its URL.</summary>
    public static MemberName? FromPeerUrl(string cluster, string peerUrl)
    {
        if (!Uri.TryCreate(peerUrl, UriKind.Absolute, out var url)) return null;
        return OfPod(cluster, url.Host.Split('.')[0]);
    }

    public int CompareTo(MemberName other) => Number.CompareTo(other.Number);

    public override string ToString() => $"{Cluster}-{Number}";
}
