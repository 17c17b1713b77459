using OpenTelemetry.Metrics;

namespace Operator.Controller;

/// <summary>The process: two HTTP ports around <see cref="OperatorService"/>.</summary>
static class OperatorHost
{
    public static async Task<int> RunAsync(OperatorOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(options.LogLevel)
            .AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning)
            .AddJsonConsole(console => (console.TimestampFormat, console.UseUtcTimestamp) = ("yyyy-MM-ddTHH:mm:ss.fffZ", true));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenAnyIP(options.MetricsPort);
            kestrel.ListenAnyIP(options.HealthPort);
        });
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<OperatorService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<OperatorService>());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(20));
        builder.Services.AddOpenTelemetry().WithMetrics(Metrics);
        await using var app = builder.Build();
        Map(app, options);
        await app.RunAsync();
        return Environment.ExitCode;
    }

    static void Metrics(MeterProviderBuilder metrics) => metrics
        .AddMeter(Telemetry.Meter)
        .AddView(instrument => instrument.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(System.Diagnostics.Metrics.Histogram<>)
            ? new ExplicitBucketHistogramConfiguration { Boundaries = instrument.Name == Telemetry.OperationTime ? Telemetry.OperationBuckets : Telemetry.SecondsBuckets }
            : null)
        .AddPrometheusExporter(exporter =>
        {
            // Names are written in full, and labels of the exporter's own would make every series another than what dashboards ask for.
            exporter.DisableTotalNameSuffixForCounters = true;
            exporter.ScopeInfoEnabled = false;
            exporter.TargetInfoEnabled = false;
        });

    static void Map(WebApplication app, OperatorOptions options)
    {
        // By the port that was connected to: the Host header names somebody else when a proxy stands between.
        app.UseOpenTelemetryPrometheusScrapingEndpoint(context => context.Request.Path == "/metrics" && context.Connection.LocalPort == options.MetricsPort);
        app.MapGet("/healthz", (OperatorService service) => service.Sickness is { } sickness ? Results.Text(sickness, statusCode: 503) : Results.Text("ok"));
        app.MapGet("/readyz", (OperatorService service) => service.Ready ? Results.Text("ok") : Results.Text("the caches are not in step yet", statusCode: 503));
    }
}
