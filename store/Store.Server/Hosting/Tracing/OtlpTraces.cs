using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Store.Server;

/// <summary>Sends <see cref="RpcSpans"/> to a collector (`--enable-distributed-tracing`, contract 1.15).</summary>
static class OtlpTraces
{
    /// <summary>Null when nobody wants them: then no span is ever made. What is under way is sent on disposal.</summary>
    public static TracerProvider? Start(TraceOptions? options)
    {
        if (options is null) return null;
        var resource = ResourceBuilder.CreateEmpty().AddTelemetrySdk().AddService(
            options.ServiceName, serviceVersion: ServerVersion.Etcd, autoGenerateServiceInstanceId: false, serviceInstanceId: options.InstanceId.Length > 0 ? options.InstanceId : null);
        return Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(RpcSpans.SourceName)
            // Who calls decides for the spans of its own; the rate is for calls that bring no trace.
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(options.SamplesPerMillion / 1e6)))
            .AddOtlpExporter(exporter =>
            {
                exporter.Endpoint = new($"http://{options.Address}");
                exporter.Protocol = OtlpExportProtocol.Grpc;
            })
            .Build();
    }
}
