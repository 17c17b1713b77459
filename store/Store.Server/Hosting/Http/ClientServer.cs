using System.Collections.Immutable;
using System.Net.Security;
using Grpc.Core;
using Grpc.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using Store.State;

namespace Store.Server;

/// <summary>What the client side needs of the member behind it.</summary>
sealed record ServedMember(MemberIdentity Identity, ReplicaLoop Loop, Func<EngineSize> EngineSize, MeterProvider Metrics);

/// <summary>The web server in front of one member: gRPC and HTTP/1.1 on the client ports, health and metrics on the metrics ports.</summary>
sealed class ClientServer : IAsyncDisposable
{
    readonly WebApplication application;
    readonly ClientPorts ports;

    ClientServer(WebApplication application, ClientPorts ports) => (this.application, this.ports) = (application, ports);

    /// <summary>Starts the web server: metrics ports answer at once, client ports once <see cref="AdmitAsync"/> was called.</summary>
    public static async Task<ClientServer> StartAsync(
        ServerOptions options, ClientPorts ports, TlsListening? tls, ServedMember member, ILoggerProvider logging, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = "store" });
        builder.Logging.AddProvider(logging).SetMinimumLevel(LogLevel.Trace);
        // Where hosting may log at all it makes an activity and a scope for each request, though nothing of ours would write a line.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options, ports, tls));
        builder.Services.AddSingleton<IConnectionListenerFactory, SharedPortListenerFactory>();
        AddServices(builder.Services, options, member);
        var application = builder.Build();
        Route(application, options, member);
        await application.StartAsync(cancellationToken);
        foreach (var port in ports.Metrics) port.Release();
        ports.Private.Release();
        return new(application, ports);
    }

    /// <summary>Lets clients in.</summary>
    public async Task AdmitAsync()
    {
        // Not disposed yet: connections that are still closing use memory that belongs to the port.
        await ports.Private.UnbindAsync();
        foreach (var port in ports.Clients.Concat(ports.Http)) port.Release();
    }

    /// <summary>Long watches: no limit on streams or slowness, large windows, pings in silence (contract 1.15).</summary>
    static void Configure(KestrelServerOptions kestrel, ServerOptions options, ClientPorts ports, TlsListening? tls)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowAlternateSchemes = true;
        kestrel.RequestHeaderEncodingSelector = ClientApiVersion.EncodingOf;
        var limits = kestrel.Limits;
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.KeepAliveTimeout = options.KeepAliveInterval == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan : options.KeepAliveInterval + options.KeepAliveTimeout;
        limits.MaxRequestBodySize = null; // A gRPC stream has no end; each message is bounded by its prefix.
        limits.Http2.MaxStreamsPerConnection = options.StreamsPerConnectionMax;
        limits.Http2.InitialConnectionWindowSize = 8 << 20;
        limits.Http2.InitialStreamWindowSize = 1 << 20;
        limits.Http2.KeepAlivePingDelay = options.KeepAliveInterval;
        limits.Http2.KeepAlivePingTimeout = options.KeepAliveTimeout;
        foreach (var port in ports.Clients.Append(ports.Private)) Listen(kestrel, port, tls, ports.Http is [] ? RepairAuthority : ForGrpcAlone);
        foreach (var port in ports.Http) Listen(kestrel, port, tls, SeparatePorts.ForHttpAlone);
        foreach (var port in ports.Metrics) Listen(kestrel, port, tls, MarkAsMetrics);
    }

    static void Listen(KestrelServerOptions kestrel, SharedPort port, TlsListening? tls, Action<ListenOptions> inside)
    {
        if (port.IsSecured) Listen(ClientProtocol.Tls, HttpProtocols.Http1AndHttp2);
        else
        {
            Listen(ClientProtocol.Http1, HttpProtocols.Http1);
            Listen(ClientProtocol.Http2, HttpProtocols.Http2);
        }

        void Listen(ClientProtocol recognized, HttpProtocols protocols) => kestrel.Listen(port.For(recognized), listen =>
        {
            listen.Protocols = protocols;
            if (port.IsSecured) tls!.Use(listen);
            inside(listen);
        });
    }

    static void RepairAuthority(ListenOptions listen)
    {
        if (listen.Protocols == HttpProtocols.Http1) return;
        listen.Use(next => connection =>
        {
            // In clear the preface has told the protocol before.
            var ssl = connection.Features.Get<ISslStreamFeature>()?.SslStream;
            if (ssl is not null && ssl.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2) return next(connection);
            connection.Transport = new RepairedTransport(connection.Transport);
            return next(connection);
        });
    }

    static void ForGrpcAlone(ListenOptions listen)
    {
        SeparatePorts.ForGrpcAlone(listen);
        RepairAuthority(listen);
    }

    static void MarkAsMetrics(ListenOptions listen)
    {
        listen.Use(next => connection =>
        {
            connection.Features.Set(MetricsPort.Instance);
            return next(connection);
        });
    }

    static void AddServices(IServiceCollection services, ServerOptions options, ServedMember member)
    {
        services.AddSingleton(options);
        services.AddSingleton(member.Identity);
        services.AddSingleton(member.Loop);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(WatchFeed.Of(member.Loop));
        services.AddSingleton(new LeaderLoss(() => member.Loop.HasLeader, TimeSpan.FromMilliseconds(options.ElectionTimeoutMs), TimeProvider.System));
        ITokens tokens = options.AuthTokens is { Key: { } key, SignedTimeToLive: var life }
            ? new JsonWebTokens(member.Loop, key, life, TimeProvider.System)
            : new SimpleTokens(member.Loop, options.AuthTokens.SimpleTimeToLive, TimeProvider.System);
        services.AddSingleton(tokens);
        services.AddSingleton(new AccessControl(member.Loop, tokens, certificatesCount: options.ClientTls.ClientCertAuth));
        services.AddSingleton<WatchService>();
        services.AddSingleton(new KvService(options, member.Identity, member.Loop, new RangeAdmission(options.ReadResponseBytesMax)));
        services.AddSingleton(new LeaseService(member.Identity, member.Loop));
        services.AddSingleton<WaitingLine>();
        services.AddSingleton<ElectionObservers>();
        services.AddSingleton<LeaseKeepAlives>();
        services.AddSingleton<RangeStreams>();
        services.AddSingleton<SnapshotStreams>();
        services.AddSingleton<BackupStreams>();
        services.AddSingleton<HealthService>();
        services.AddSingleton(new ReflectionServiceImpl(EtcdServices.WithHealth));
        services.AddSingleton(new ReflectionV1ServiceImpl(EtcdServices.WithHealth));
        services.AddRouting();
        // Watches end at once when the host stops; what else is in flight is answered within its own bounds or given up.
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.MessageBytesMax;
            grpc.MaxSendMessageSize = null;
            grpc.IgnoreUnknownServices = true;
            grpc.Interceptors.Add<StreamFaults>();
        });
        ReplicaMetrics.Observe(options, member.Identity, member.Loop, member.EngineSize);
    }

    static void Route(WebApplication application, ServerOptions options, ServedMember member)
    {
        var logger = application.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Store.Requests");
        var unary = new UnaryEndpoint(UnaryMethods(application.Services, options, member, logger), options.MessageBytesMax, () => member.Loop.HasLeader, logger);
        var health = new HealthChecks(member.Loop, options.RequestTimeout, logger);

        if (!options.ListenClientHttpUrls.IsEmpty) application.Use(SeparatePorts.InvokeAsync);
        application.Use(next => http => http.Features.Get<MetricsPort>() is null ? unary.InvokeAsync(http, next) : next(http));
        application.Use(new HttpDoor(options.Http.Origins, options.Http.Hosts).InvokeAsync);
        application.Use((http, next) => ServePlainAsync(http, next, health, member.Loop));
        application.UseOpenTelemetryPrometheusScrapingEndpoint(member.Metrics, null, "/metrics", null, null);
        if (options.Http.Gateway)
        {
            application.UseWebSockets();
            application.Use(next => ServeGateway(unary, next, options));
        }

        application.Use(StreamMetrics.MeasureAsync);
        application.Use(new LegibleRequests(options.MessageBytesMax).InvokeAsync);
        application.UseRouting();
        foreach (var map in StreamServices) map(application);
        // Not Run: what was mapped is executed behind everything here.
        application.Use((http, next) => http.GetEndpoint() is null ? RefuseUnknown(http) : next(http));
    }

    /// <summary>Services on Grpc.AspNetCore: streams, and what belongs to them.</summary>
    static ImmutableArray<Action<WebApplication>> StreamServices =>
    [
        static application => application.MapGrpcService<WatchService>(),
        static application => application.MapGrpcService<LeaseKeepAlives>(),
        static application => application.MapGrpcService<ElectionObservers>(),
        static application => application.MapGrpcService<RangeStreams>(),
        static application => application.MapGrpcService<SnapshotStreams>(),
        static application => application.MapGrpcService<BackupStreams>(),
        static application => application.MapGrpcService<HealthService>(),
        static application => application.MapGrpcService<ReflectionServiceImpl>(),
        static application => application.MapGrpcService<ReflectionV1ServiceImpl>(),
    ];

    static IEnumerable<UnaryMethod> UnaryMethods(IServiceProvider services, ServerOptions options, ServedMember member, ILogger logger)
    {
        var guarded = new GuardedMethods(services.GetRequiredService<AccessControl>(), options);
        var auth = new AuthService(member.Identity, member.Loop, services.GetRequiredService<ITokens>(), new(options.BcryptCost), logger);
        return PlainMethods(services, options, member).Concat(auth.Methods).Select(guarded.Guard);
    }

    static IEnumerable<UnaryMethod> PlainMethods(IServiceProvider services, ServerOptions options, ServedMember member) =>
    [
        .. services.GetRequiredService<KvService>().Methods,
        .. services.GetRequiredService<LeaseService>().Methods,
        .. new LockService(services.GetRequiredService<WaitingLine>()).Methods,
        .. new ElectionService(services.GetRequiredService<WaitingLine>()).Methods,
        .. new ClusterService(member.Identity, member.Loop).Methods,
        .. new MaintenanceService(options, member.Identity, member.Loop, member.EngineSize).Methods,
    ];

    static RequestDelegate ServeGateway(UnaryEndpoint unary, RequestDelegate next, ServerOptions options)
    {
        var gateway = new JsonGateway(inner => unary.InvokeAsync(inner, next), options.MessageBytesMax);
        return http => http.Features.Get<MetricsPort>() is null ? gateway.InvokeAsync(http, next) : next(http);
    }

    static async Task ServePlainAsync(HttpContext http, RequestDelegate next, HealthChecks health, ReplicaLoop loop)
    {
        if (await health.TryServeAsync(http)) return;
        if (http.Request.Path == "/version") await VersionEndpoint.ServeAsync(http, loop);
        else await next(http);
    }

    /// <summary>gRPC's answer to a method that does not exist, in Go's words; 404 to everything else.</summary>
    static Task RefuseUnknown(HttpContext http)
    {
        if (!UnaryEndpoint.IsGrpc(http.Request))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            http.Response.ContentType = "text/plain; charset=utf-8";
            return http.Response.WriteAsync("404 page not found\n");
        }

        var parts = http.Request.Path.Value!.Split('/');
        var (service, method) = parts.Length == 3 ? (parts[1], parts[2]) : (http.Request.Path.Value!, "");
        var known = EtcdServices.Descriptors.Any(s => s.FullName == service);
        UnaryEndpoint.Refuse(http, new(StatusCode.Unimplemented, known ? $"unknown method {method} for service {service}" : $"unknown service {service}"));
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await application.StopAsync();
        await application.DisposeAsync();
        await ports.DisposeAsync();
    }

    /// <summary>Set on connections of `--listen-metrics-urls`: no client requests there.</summary>
    sealed class MetricsPort
    {
        public static readonly MetricsPort Instance = new();
    }
}
