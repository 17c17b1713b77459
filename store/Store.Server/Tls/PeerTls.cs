using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>Both directions of the peers' TLS, on the same files.</summary>
/// <param name="Listening">Null without a certificate: then no peer URL is https either.</param>
sealed record PeerTls(TlsListening? Listening, TlsDialing Dialing)
{
    /// <exception cref="FlagException">A file cannot be used.</exception>
    public static PeerTls Open(ServerOptions options, TimeProvider time, ILogger logger)
    {
        if (!options.PeerTls.IsConfigured) return new(null, new(null, logger));
        foreach (var url in options.ListenPeerUrls.Where(url => url.Scheme == "http"))
            Log.CertificatesUnused(logger, $"--listen-peer-urls has {url.OriginalString}, which is served in clear; write https://");
        var keyring = TlsKeyring.Open(SelfSignedFiles.Provide(options.PeerTls, options.DataDirectory, options.ListenPeerUrls, time), time, logger);
        return new(new(keyring, "peer", logger), new(keyring, logger));
    }
}
