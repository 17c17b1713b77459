using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>Both directions of the peers' TLS, on the same files.</summary>
/// <param name="Listening">Null without a certificate: then no peer URL is https either.</param>
sealed record PeerTls(TlsListening? Listening, TlsDialing Dialing)
{
    /// <exception cref="FlagException">A file or the address of outgoing connections cannot be used.</exception>
    public static PeerTls Open(ServerOptions options, TimeProvider time, ILogger logger)
    {
        RequireOwn(options.PeerLocalAddress);
        if (!options.PeerTls.IsConfigured) return new(null, new(null, options.PeerLocalAddress, logger));
        foreach (var url in options.ListenPeerUrls.Where(url => url.Scheme == "http"))
            Log.CertificatesUnused(logger, $"--listen-peer-urls has {url.OriginalString}, which is served in clear; write https://");
        var keyring = TlsKeyring.Open(SelfSignedFiles.Provide(options.PeerTls, options.DataDirectory, options.ListenPeerUrls, time), time, logger);
        return new(new(keyring, "peer", logger), new(keyring, options.PeerLocalAddress, logger));
    }

    /// <summary>A member behind a translated address would otherwise reach nobody, and say so without end.</summary>
    static void RequireOwn(IPAddress? address)
    {
        if (address is null) return;
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, 0));
        }
        catch (SocketException)
        {
            throw new FlagException($"--set-member-localaddr: {address}, the first IP address in --initial-advertise-peer-urls, is not one of this machine; remove the flag or correct the URLs");
        }
    }
}
