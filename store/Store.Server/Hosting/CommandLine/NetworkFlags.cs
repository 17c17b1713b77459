using System.Collections.Immutable;
using System.Net;

namespace Store.Server;

/// <summary>Flags about how members reach each other.</summary>
static class NetworkFlags
{
    /// <summary>
    /// Where connections to other members come from, so that they, and firewalls between, see the address they know: the first in the advertised peer URLs that a
    /// member on another machine could know it by. Null: the system's choice. As in etcd, neither names nor loopback or unspecified addresses count.
    /// </summary>
    public static IPAddress? LocalAddress(FlagValues flags, ImmutableArray<string> advertisedPeerUrls)
    {
        var wanted = flags.Boolean("set-member-localaddr") || flags.Boolean("experimental-set-member-localaddr") || FeatureGates.Read(flags).GetValueOrDefault("SetMemberLocalAddr");
        return wanted ? advertisedPeerUrls.Select(AddressOf).FirstOrDefault(address => address is not null) : null;
    }

    static IPAddress? AddressOf(string url) =>
        IPAddress.TryParse(new Uri(url).DnsSafeHost, out var address) && !IPAddress.IsLoopback(address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)
            ? address
            : null;
}
