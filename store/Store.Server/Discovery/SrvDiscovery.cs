using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Store.Server;

/// <summary>
/// The members as the records "_etcd-server._tcp.DOMAIN" and "_etcd-server-ssl._tcp.DOMAIN" name them. A record has no name of a member: this one recognizes itself by
/// its peer URLs, the others are called "0", "1", ... until they tell their own names.
/// </summary>
sealed class SrvDiscovery(DiscoveryOptions.Srv options, InitialMember self, SrvRecords records)
{
    /// <exception cref="BootException">There are no records, or none is this member's.</exception>
    public async Task<ImmutableArray<InitialMember>> FindAsync(CancellationToken cancellationToken)
    {
        var suffix = options.ServiceName.Length > 0 ? "-" + options.ServiceName : "";
        string[] names = [$"_etcd-server-ssl{suffix}._tcp.{options.Domain}", $"_etcd-server{suffix}._tcp.{options.Domain}"];
        try
        {
            var secured = (await records.FindAsync(names[0], cancellationToken)).Select(target => (Scheme: "https", target));
            var plain = (await records.FindAsync(names[1], cancellationToken)).Select(target => (Scheme: "http", target));
            var urls = secured.Concat(plain).Select(found => $"{found.Scheme}://{found.target.Host}:{found.target.Port}").Distinct(StringComparer.Ordinal).ToArray();
            if (urls.Length == 0) throw new BootException($"error querying DNS SRV records: neither {names[0]} nor {names[1]} exists; check --discovery-srv");
            return await NamedAsync(urls, cancellationToken);
        }
        catch (IOException exception)
        {
            throw new BootException($"error querying DNS SRV records: {exception.Message}");
        }
    }

    async Task<ImmutableArray<InitialMember>> NamedAsync(string[] urls, CancellationToken cancellationToken)
    {
        var own = new HashSet<IPEndPoint>();
        foreach (var url in self.PeerUrls) own.UnionWith(await AddressesAsync(url, cancellationToken));
        // Also under the url of the record, not of the flag: all members must compute the same ids from the same records.
        var (others, mine) = (new List<InitialMember>(), new List<string>());
        foreach (var url in urls)
        {
            if (self.PeerUrls.Contains(url) || own.Overlaps(await AddressesAsync(url, cancellationToken))) mine.Add(url);
            else others.Add(new(others.Count.ToString(CultureInfo.InvariantCulture), [url]));
        }

        if (mine.Count == 0)
            throw new BootException($"none of the DNS SRV records ({string.Join(", ", urls)}) is this member's: one must name the host and port of --initial-advertise-peer-urls={string.Join(',', self.PeerUrls)}");
        InitialMember named = new(self.Name, [.. mine.Order(StringComparer.Ordinal)]);
        return [.. others.Append(named).OrderBy(member => member.Name, StringComparer.Ordinal)];
    }

    /// <summary>None for a name that does not resolve yet.</summary>
    static async Task<IEnumerable<IPEndPoint>> AddressesAsync(string url, CancellationToken cancellationToken)
    {
        var uri = new Uri(url);
        try
        {
            return (await Dns.GetHostAddressesAsync(uri.DnsSafeHost, cancellationToken)).Select(address => new IPEndPoint(address, uri.Port));
        }
        catch (SocketException)
        {
            return [];
        }
    }
}
