using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>Connections that this member opens to others, and TLS on them: shows its certificate and checks theirs, both as they are on disk now.</summary>
/// <param name="keyring">Null: no certificate of its own, and the system's authorities.</param>
/// <param name="from">The address they come from; null is the system's choice.</param>
sealed class TlsDialing(TlsKeyring? keyring, IPAddress? from, ILogger logger)
{
    readonly Lock gate = new();
    readonly Dictionary<string, string> complaints = new(StringComparer.Ordinal);

    /// <summary>Without TLS yet.</summary>
    public async Task<NetworkStream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var socket = from is null ? new Socket(SocketType.Stream, ProtocolType.Tcp) : new Socket(from.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = true;
            if (from is not null) socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(host, port, cancellationToken);
            return new(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <exception cref="IOException">The other side cannot be trusted, or does not trust this one.</exception>
    public async Task<Stream> SecureAsync(Stream connection, Uri url, CancellationToken cancellationToken)
    {
        var tls = new SslStream(connection, leaveInnerStreamOpen: false);
        string? refusal = null;
        try
        {
            await tls.AuthenticateAsClientAsync(OptionsFor(url, reason => refusal = reason), cancellationToken);
            return tls;
        }
        catch (Exception exception)
        {
            await tls.DisposeAsync();
            if (exception is not AuthenticationException) throw;
            if (refusal is not null) Rejected(url, refusal);
            else RefusedBy(url, exception.Message);
            throw new IOException($"TLS handshake with {url.Authority}: {refusal ?? exception.Message}", exception);
        }
    }

    /// <summary>For HTTP to one member; a new one for each connection, or it would keep to the files of its first.</summary>
    public SocketsHttpHandler HttpHandler(Uri url) => new()
    {
        SslOptions = OptionsFor(url, reason => Rejected(url, reason)),
        UseProxy = false,
        ConnectCallback = async (context, cancellationToken) => await ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken),
    };

    /// <summary>In TLS 1.3 a certificate is refused after the handshake, and all that comes is the end of the connection.</summary>
    public void EndedUnanswered(Uri url) => RefusedBy(url, "it ended the connection right after the TLS handshake; most likely it does not accept this member's certificate, and its log says why");

    /// <summary>From here on a complaint is news again.</summary>
    public void Accepted(Uri url)
    {
        lock (gate) complaints.Remove(url.Authority);
    }

    SslClientAuthenticationOptions OptionsFor(Uri url, Action<string> reject)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = url.DnsSafeHost, AllowTlsResume = false };
        if (keyring is null) return options;
        var material = keyring.Current;
        options.ClientCertificateContext = material.Dialled;
        options.EnabledSslProtocols = keyring.Options.Protocols;
        options.CipherSuitesPolicy = keyring.Suites;
        options.CertificateChainPolicy = CertificateCheck.Policy(material, CertificateCheck.ServerPurpose);
        options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            if (keyring.Options.SelfSigned || RefusalOf(url, certificate as X509Certificate2, chain, errors, material) is not { } refusal) return true;
            reject(refusal);
            return false;
        };
        return options;
    }

    string? RefusalOf(Uri url, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, TlsMaterial material)
    {
        if (CertificateCheck.Refusal(certificate, chain, material, keyring!.Options) is { } refusal) return refusal;
        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"certificate of \"{certificate!.Subject}\": not for {url.DnsSafeHost}" : null;
    }

    void Rejected(Uri url, string reason)
    {
        if (IsNews(url, reason)) Log.ConnectionRejected(logger, "peer", url.Authority, reason, unsaid: 0);
    }

    void RefusedBy(Uri url, string reason)
    {
        if (IsNews(url, reason)) Log.PeerRefused(logger, url.Authority, reason);
    }

    /// <summary>Attempts are repeated for as long as it takes; the line is not.</summary>
    bool IsNews(Uri url, string complaint)
    {
        lock (gate)
        {
            if (complaints.TryGetValue(url.Authority, out var said) && said == complaint) return false;
            complaints[url.Authority] = complaint;
            return true;
        }
    }
}
