using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Store.Server;

/// <summary>
/// TLS on the connections to --discovery-endpoints: the files are read once, for discovery is over before the member serves. Which endpoints speak it says their scheme.
/// </summary>
/// <param name="own">Shown to who asks for a certificate; null: there is none.</param>
/// <param name="authorities">Null: those of the system.</param>
sealed class DiscoveryTls(SslStreamCertificateContext? own, X509Certificate2Collection? authorities, bool trustsAnybody)
{
    const string CertFlag = "--discovery-cert", KeyFlag = "--discovery-key", AuthorityFlag = "--discovery-cacert";

    /// <exception cref="FlagException">A file cannot be used.</exception>
    public static DiscoveryTls Open(DiscoveryTlsOptions options)
    {
        var (cert, key, authority) = ($"{CertFlag} {options.CertFile}", $"{KeyFlag} {options.KeyFile}", $"{AuthorityFlag} {options.AuthorityFile}");
        return new(
            TlsFiles.Contents(CertFlag, options.CertFile) is { } certificate ? TlsMaterial.Certificate(cert, certificate, key, TlsFiles.Contents(KeyFlag, options.KeyFile)) : null,
            TlsFiles.Contents(AuthorityFlag, options.AuthorityFile) is { } trusted ? TlsMaterial.AuthoritiesIn(authority, trusted) : null,
            options.TrustsAnybody);
    }

    /// <summary>For one channel, whose end is the handler's.</summary>
    public SocketsHttpHandler Handler()
    {
        var handler = new SocketsHttpHandler { SslOptions = { ClientCertificateContext = own } };
        if (authorities is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new()
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        if (trustsAnybody) handler.SslOptions.RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null;
        return handler;
    }
}
