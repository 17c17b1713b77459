using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Operator.Controller;

/// <summary>Opens the way to a member.</summary>
/// <param name="shown">Is told the serial number of each certificate that the member shows and that can be trusted.</param>
delegate HttpMessageHandler MemberDialer(MemberEndpoint endpoint, Action<string>? shown);

/// <summary>By socket, in clear or over TLS.</summary>
static class MemberDialing
{
    public static HttpMessageHandler Open(MemberEndpoint endpoint, Action<string>? shown)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(1),
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
            UseProxy = false,
        };
        if (endpoint.Tls is not { } tls) return handler;
        handler.ConnectCallback = (_, cancellation) => ConnectAsync(endpoint, cancellation);
        handler.SslOptions = new SslClientAuthenticationOptions
        {
            AllowTlsResume = false,
            // As a context it is shown whatever the member says about authorities that it knows: the next one is not among them yet.
            ClientCertificateContext = SslStreamCertificateContext.Create(tls.Shown, additionalCertificates: null, offline: true),
            CertificateChainPolicy = Policy(tls),
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                if (errors != SslPolicyErrors.None) return false;
                shown?.Invoke(((X509Certificate2)certificate!).SerialNumber.ToLowerInvariant());
                return true;
            },
        };
        return handler;
    }

    static X509ChainPolicy Policy(MemberTrust tls)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true, TrustMode = X509ChainTrustMode.CustomRootTrust };
        policy.CustomTrustStore.AddRange(tls.Trusted);
        return policy;
    }

    static async ValueTask<Stream> ConnectAsync(MemberEndpoint endpoint, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint.Ip, endpoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
