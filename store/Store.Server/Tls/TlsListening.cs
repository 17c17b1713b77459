using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>TLS in front of a listener. What is checked is checked here, for every listener alike (GHSA-3wh4-j44w-pg92 was a listener that was forgotten).</summary>
/// <param name="side">"client" or "peer", for the log.</param>
sealed class TlsListening(TlsKeyring keyring, string side, ILogger logger)
{
    /// <summary>Whoever has not shaken hands by then is cut off (GHSA-6vch-q96h-7gc3).</summary>
    public static readonly TimeSpan HandshakeTimeMax = TimeSpan.FromSeconds(5);

    readonly HandshakeTurns turns = new(2 * Environment.ProcessorCount, TimeProvider.System);
    readonly LineRate rejections = new(TimeProvider.System);
    readonly LineRate abandonments = new(TimeProvider.System);

    /// <summary>Everything that is added to the listener afterwards sees the inside. ALPN offers what the listener's protocols say.</summary>
    public void Use(ListenOptions listen)
    {
        listen.Use(next => connection => WatchAsync(connection, next));
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = context => ValueTask.FromResult(OptionsFor(context.Connection)), HandshakeTimeout = HandshakeTimeMax });
        listen.Use(next => connection => AdmitAsync(connection, next));
    }

    SslServerAuthenticationOptions OptionsFor(ConnectionContext connection)
    {
        var material = keyring.Current;
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = material.Served,
            EnabledSslProtocols = keyring.Options.Protocols,
            CipherSuitesPolicy = keyring.Suites,
            // A resumed session would carry a certificate that may have been revoked since.
            AllowTlsResume = false,
        };
        if (!keyring.Options.AsksForCertificate) return options;
        options.ClientCertificateRequired = true;
        options.CertificateChainPolicy = CertificateCheck.Policy(material, CertificateCheck.ClientPurpose);
        options.RemoteCertificateValidationCallback = (_, certificate, chain, _) => Judge(connection, certificate as X509Certificate2, chain, material);
        return options;
    }

    bool Judge(ConnectionContext connection, X509Certificate2? certificate, X509Chain? chain, TlsMaterial material)
    {
        var refusal = CertificateCheck.Refusal(certificate, chain, material, keyring.Options);
        var handshake = connection.Features.Get<Handshake>()!;
        if (refusal is not null) handshake.Refusal = refusal;
        else connection.Features.Set(ClientCertificateName.Of(certificate!));
        return refusal is null;
    }

    async Task AdmitAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var handshake = connection.Features.Get<Handshake>()!;
        handshake.Turn?.End();
        handshake.Refusal = await AddressRefusalAsync(connection);
        if (handshake.Refusal is not null) return;
        handshake.Done = true;
        await next(connection);
    }

    /// <summary>Peers only: clients come from anywhere.</summary>
    async Task<string?> AddressRefusalAsync(ConnectionContext connection)
    {
        if (keyring.Options is not { FlagPrefix: "peer-", AsksForCertificate: true, SkipClientSanVerification: false }) return null;
        if (connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } certificate || connection.RemoteEndPoint is not IPEndPoint { Address: var from }) return null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        limit.CancelAfter(HandshakeTimeMax);
        try
        {
            return await PeerAddressCheck.RefusalAsync(certificate, from, limit.Token);
        }
        catch (OperationCanceledException)
        {
            return $"certificate of \"{certificate.Subject}\": its names could not be looked up in time";
        }
    }

    async Task WatchAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var handshake = new Handshake();
        connection.Features.Set(handshake);
        var started = Stopwatch.GetTimestamp();
        if (await MayBeginAsync(connection, handshake)) await next(connection);
        handshake.Turn?.End();
        if (handshake.Done) return;
        var address = connection.RemoteEndPoint?.ToString() ?? "";
        if (handshake.Refusal is { } refusal)
        {
            if (rejections.MaySay(out var rejected)) Log.ConnectionRejected(logger, side, address, refusal, rejected);
            return;
        }

        var took = Stopwatch.GetElapsedTime(started);
        if (!abandonments.MaySay(out var abandoned)) return;
        Log.HandshakeUnfinished(
            logger, side, address, (long)took.TotalMilliseconds,
            handshake.Late || took >= HandshakeTimeMax
                ? "it took too long"
                : "the other side went away, does not trust the certificate, or offered no TLS, version or cipher suite that is allowed here",
            abandoned);
    }

    async Task<bool> MayBeginAsync(ConnectionContext connection, Handshake handshake)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        limit.CancelAfter(HandshakeTimeMax);
        try
        {
            handshake.Turn = await turns.TakeAsync(connection, limit.Token);
            return handshake.Turn is not null;
        }
        catch (OperationCanceledException)
        {
            handshake.Late = !connection.ConnectionClosed.IsCancellationRequested;
            return false;
        }
        catch (IOException)
        {
            // Reset.
            return false;
        }
    }

    /// <summary>How far a connection came.</summary>
    sealed class Handshake
    {
        public HandshakeTurns.Turn? Turn { get; set; }

        public bool Done { get; set; }

        /// <summary>It was cut off before it began.</summary>
        public bool Late { get; set; }

        public string? Refusal { get; set; }
    }
}
