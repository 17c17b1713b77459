using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Store.Server;

/// <summary>
/// A peer's certificate is good only where it comes from (contract 1.14): one that names addresses or hosts must name the address of the connection, else a key
/// stolen from one machine would open the cluster from any other. --peer-skip-client-san-verification turns it off.
/// </summary>
static class PeerAddressCheck
{
    /// <summary>Null when the certificate names the address, a host that has it, or nothing at all.</summary>
    public static async Task<string?> RefusalAsync(X509Certificate2 certificate, IPAddress remote, CancellationToken cancellationToken)
    {
        var from = remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote;
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().ToList();
        var addresses = names.SelectMany(name => name.EnumerateIPAddresses()).ToList();
        var hosts = names.SelectMany(name => name.EnumerateDnsNames()).ToList();
        if ((addresses.Count == 0 && hosts.Count == 0) || addresses.Contains(from)) return null;
        foreach (var host in hosts)
            if (await HasAsync(host, from, cancellationToken)) return null;
        return $"certificate of \"{certificate.Subject}\": none of its names ({string.Join(", ", hosts.Concat(addresses.Select(address => address.ToString())))}) is {from}";
    }

    /// <summary>A wildcard cannot be looked up, so the address is, the other way round.</summary>
    static async Task<bool> HasAsync(string host, IPAddress address, CancellationToken cancellationToken)
    {
        try
        {
            if (!host.StartsWith("*.", StringComparison.Ordinal)) return (await Dns.GetHostAddressesAsync(host, cancellationToken)).Contains(address);
            var name = (await Dns.GetHostEntryAsync(address.ToString(), cancellationToken)).HostName.TrimEnd('.');
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            return dot > 0 && name[dot..].Equals(host[1..], StringComparison.OrdinalIgnoreCase);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
