using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Store.Server;

/// <summary>The sockets of one member's client side, taken before anything else starts: a port in use must not cost a boot.</summary>
sealed class ClientPorts : IAsyncDisposable
{
    readonly List<SharedPort> clients = [];
    readonly List<SharedPort> http = [];
    readonly List<SharedPort> metrics = [];
    SharedPort? warmUp;

    public IReadOnlyList<SharedPort> Clients => clients;

    /// <summary>For plain HTTP alone; the client ports are then for gRPC alone.</summary>
    public IReadOnlyList<SharedPort> Http => http;

    public IReadOnlyList<SharedPort> Metrics => metrics;

    /// <summary>A loopback port of this process's own, for <see cref="WarmUp"/>: everything that clients' requests run through, before clients come.</summary>
    public SharedPort Private => warmUp!;

    /// <exception cref="FlagException">A port is taken, or an address is not this machine's.</exception>
    public static async Task<ClientPorts> BindAsync(ServerOptions options, ILoggerFactory logging, TimeProvider time, CancellationToken cancellationToken)
    {
        var sockets = Sockets(logging, options.SharedPorts);
        var logger = logging.CreateLogger("Store.Listener");
        var ports = new ClientPorts();
        try
        {
            await BindAllAsync("listen-client-urls", options.ListenClientUrls, ports.clients);
            await BindAllAsync("listen-client-http-urls", options.ListenClientHttpUrls, ports.http);
            await BindAllAsync("listen-metrics-urls", options.ListenMetricsUrls, ports.metrics);
            ports.warmUp = await SharedPort.BindAsync(sockets, new IPEndPoint(IPAddress.Loopback, 0), secured: false, time, logger, cancellationToken);
            return ports;
        }
        catch
        {
            await ports.DisposeAsync();
            throw;
        }

        async Task BindAllAsync(string flag, ImmutableArray<Uri> urls, List<SharedPort> bound)
        {
            foreach (var url in urls)
            {
                var endPoint = EndPointOf(url);
                try
                {
                    if (endPoint is UnixDomainSocketEndPoint) UnixSockets.RemoveAbandoned(endPoint);
                    bound.Add(await SharedPort.BindAsync(sockets, endPoint, url.Scheme is "https" or "unixs", time, logger, cancellationToken));
                }
                catch (AddressInUseException)
                {
                    throw new FlagException($"listen {Network(endPoint)} {endPoint}: bind: address already in use; stop the process that holds it or change --{flag}");
                }
                catch (SocketException exception)
                {
                    throw new FlagException($"listen {Network(endPoint)} {endPoint}: {exception.Message.ToLowerInvariant()}; check --{flag}");
                }
            }
        }
    }

    /// <summary>
    /// With Kestrel's pinned memory pool, which only its service collection hands out. A factory made by hand rents each block from the shared array pool,
    /// whose caches are per thread: blocks rented on one and given back on another are allocated anew, 4 of the 10 KiB that a Put once allocated.
    /// </summary>
    static SocketTransportFactory Sockets(ILoggerFactory logging, bool shared)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = "store" });
        builder.WebHost.UseKestrelCore().UseSockets(options =>
        {
            options.Backlog = 4096;
            if (shared) PortSharing.Apply(options);
        });
        return new(builder.Build().Services.GetRequiredService<IOptions<SocketTransportOptions>>(), logging);
    }

    static string Network(EndPoint endPoint) => endPoint is IPEndPoint ? "tcp" : "unix";

    static EndPoint EndPointOf(Uri url) => UnixSockets.EndPointOf(url) ?? new IPEndPoint(
        url.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(url.Host.Trim('[', ']')), url.Port);

    public async ValueTask DisposeAsync()
    {
        foreach (var port in clients.Concat(http).Concat(metrics)) await port.DisposeAsync();
        if (warmUp is not null) await warmUp.DisposeAsync();
    }
}
