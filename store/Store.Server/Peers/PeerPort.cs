using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>
/// The peer port, with a server of its own: it opens before this member serves clients and closes after it has stopped to, so that leadership can be
/// handed over in between. Beside the peer protocol it answers GET /members (how a new member finds itself), /version and /health.
/// </summary>
sealed class PeerPort : IAsyncDisposable
{
    readonly WebApplication application;

    PeerPort(WebApplication application) => this.application = application;

    public static async Task<PeerPort> OpenAsync(
        ServerOptions options, TlsListening? tls, PeerServer peers, ulong clusterId, ReplicaLoop loop, ILogger logger, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = "store" });
        var urls = options.ListenPeerUrls;
        builder.WebHost.UseKestrelCore().UseSockets(sockets =>
        {
            if (options.SharedPorts) PortSharing.Apply(sockets);
        }).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A connection between members is open and mostly silent for as long as both live.
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            foreach (var url in urls) Listen(kestrel, url, tls, peers);
        });
        builder.Services.AddRoutingCore();
        var application = builder.Build();
        application.Run(http => AnswerAsync(http, clusterId, loop));
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (IOException e)
        {
            await application.DisposeAsync();
            throw new BootException($"cannot listen on the peer URL: {e.Message}; stop what uses the port, or change --listen-peer-urls");
        }
        foreach (var url in urls) Log.ServingPeers(logger, url.ToString());
        return new(application);
    }

    static void Listen(KestrelServerOptions kestrel, Uri url, TlsListening? tls, PeerServer peers)
    {
        void Configure(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1;
            if (url.Scheme == "https") tls!.Use(listen);
            peers.Use(listen);
        }

        if (url.Host is "localhost") kestrel.ListenLocalhost(url.Port, Configure);
        else if (IPAddress.TryParse(url.DnsSafeHost, out var address)) kestrel.Listen(address, url.Port, Configure);
        else throw new BootException($"--listen-peer-urls: expected an IP address in {url} to bind to (host names are for the advertised URLs)");
    }

    static Task AnswerAsync(HttpContext http, ulong clusterId, ReplicaLoop loop)
    {
        switch (http.Request.Path.Value)
        {
            case "/members":
                var (header, value, body) = JoinedCluster.Answer(clusterId, loop.View.Cluster);
                http.Response.Headers[header] = value;
                http.Response.ContentType = "application/json";
                return http.Response.Body.WriteAsync(body, http.RequestAborted).AsTask();
            case "/version":
                return VersionEndpoint.ServeAsync(http, loop);
            case "/health":
                http.Response.StatusCode = loop.Status.Leader.IsNone ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
                http.Response.ContentType = "text/plain; charset=utf-8";
                return http.Response.WriteAsync(loop.Status.Leader.IsNone ? """{"health":"false","reason":"RAFT NO LEADER"}""" : """{"health":"true","reason":""}""");
            default:
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
        }
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();
}
