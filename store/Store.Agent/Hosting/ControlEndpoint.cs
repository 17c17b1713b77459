using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Store.Agent;

/// <summary>
/// Where the agent may be told to do something, over mutual TLS: it shows the certificate that it shows its member, and whoever asks has to show one that the member would
/// take from a client. Metrics, status and health stay in clear, since they change nothing.
/// </summary>
static class ControlEndpoint
{
    static readonly Oid ClientPurpose = new("1.3.6.1.5.5.7.3.2");
    static readonly TimeSpan HandshakeTimeMax = TimeSpan.FromSeconds(5);

    /// <summary>Listens already.</summary>
    /// <param name="url">https, with an address.</param>
    public static async Task<WebApplication> ServeAsync(Uri url, MemberOptions member, AgentState state)
    {
        if (member is not { CaFile: { } ca, CertFile: { } cert, KeyFile: { } key })
            throw new BackupException(BackupFailure.Misconfigured, "--listen-control-urls needs --cert, --key and --cacert: the certificate to show, and the authorities of those who may ask");
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(AddressOf(url), url.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(Handshake(ca, cert, key)), HandshakeTimeout = HandshakeTimeMax });
        }));
        var application = builder.Build();
        application.Run(http => AnswerAsync(http, state, member.PasswordFile));
        return await Endpoint.ListenAsync(application, "listen-control-urls", url);
    }

    /// <summary>A name would have to be looked up, and could be of several addresses.</summary>
    static IPAddress AddressOf(Uri url) => url.Scheme == Uri.UriSchemeHttps && IPAddress.TryParse(url.DnsSafeHost, out var address)
        ? address
        : throw new BackupException(BackupFailure.Misconfigured, $"--listen-control-urls must be https with an address, such as https://0.0.0.0:2386, not {url}");

    static SslServerAuthenticationOptions Handshake(string ca, string cert, string key) => new()
    {
        ServerCertificate = CertificateFiles.Own(cert, key),
        ClientCertificateRequired = true,
        AllowTlsResume = false,
        RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
            certificate is X509Certificate2 shown && CertificateFiles.IsTrusted(shown, chain, CertificateFiles.Authorities(ca), ClientPurpose),
    };

    static Task AnswerAsync(HttpContext http, AgentState state, string? passwordFile)
    {
        if (http.Request.Path.Value == FullRequests.Path && HttpMethods.IsPost(http.Request.Method)) return FullRequests.TakeAsync(http, state, passwordFile);
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return http.Response.WriteAsync("404 page not found\n");
    }
}
