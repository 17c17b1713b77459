using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>TLS on connections that this member opens to others: shows its certificate and checks theirs, both as they are on disk now.</summary>
/// <param name="keyring">Null: no certificate of its own, and the system's authorities.</param>
sealed class TlsDialing(TlsKeyring? keyring, ILogger logger)
{
    readonly Lock gate = new();
    readonly Dictionary<string, string> refused = new(StringComparer.Ordinal);

    /// <exception cref="IOException">The other side cannot be trusted, or does not trust this one.</exception>
    public async Task<Stream> SecureAsync(Stream connection, string host, CancellationToken cancellationToken)
    {
        var tls = new SslStream(connection, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(OptionsFor(host), cancellationToken);
            return tls;
        }
        catch (Exception exception)
        {
            await tls.DisposeAsync();
            if (exception is AuthenticationException) throw new IOException($"TLS handshake with {host}: {exception.Message}", exception);
            throw;
        }
    }

    /// <summary>For HTTP to one member; a new one for each connection, or it would keep to the files of its first.</summary>
    public SocketsHttpHandler HttpHandler(string host) => new() { SslOptions = OptionsFor(host), UseProxy = false };

    SslClientAuthenticationOptions OptionsFor(string host)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host, AllowTlsResume = false };
        if (keyring is null) return options;
        var material = keyring.Current;
        options.ClientCertificateContext = material.Dialled;
        options.EnabledSslProtocols = keyring.Options.Protocols;
        options.CipherSuitesPolicy = keyring.Suites;
        options.CertificateChainPolicy = CertificateCheck.Policy(material, CertificateCheck.ServerPurpose);
        options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            keyring.Options.SelfSigned || Judge(host, certificate as X509Certificate2, chain, errors, material);
        return options;
    }

    bool Judge(string host, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, TlsMaterial material)
    {
        var refusal = CertificateCheck.Refusal(certificate, chain, material, keyring!.Options);
        if (refusal is null && errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) refusal = $"certificate of \"{certificate!.Subject}\": not for {host}";
        lock (gate)
        {
            if (refusal is null)
            {
                refused.Remove(host);
                return true;
            }

            // Attempts are repeated for as long as it takes; the line is not.
            if (refused.TryGetValue(host, out var said) && said == refusal) return false;
            refused[host] = refusal;
        }

        Log.ConnectionRejected(logger, "peer", host, refusal);
        return false;
    }
}
