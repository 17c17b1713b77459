using System.Collections.Frozen;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Store.Server;

/// <summary>What Go's gRPC middleware counts, per method of etcd's services: started, handled by code, and how long it took.</summary>
sealed class GrpcMetrics
{
    static readonly double[] Buckets = [.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10];

    static readonly Histogram<double> HandlingSeconds = StoreMetrics.Histogram(
        "grpc_server_handling_seconds", "Histogram of response latency (seconds) of gRPC that had been application-level handled by the server.", Buckets);

    static readonly FrozenDictionary<string, GrpcMetrics> ByPath = EtcdServices.Descriptors
        .SelectMany(service => service.Methods)
        .ToFrozenDictionary(method => $"/{method.Service.FullName}/{method.Name}", method => new GrpcMetrics(method), StringComparer.Ordinal);

    readonly KeyValuePair<string, object?> type, service, method;
    readonly Tally started = new();
    readonly Tally[] handled = [.. Enum.GetValues<StatusCode>().Select(_ => new Tally())];

    static GrpcMetrics()
    {
        StoreMetrics.Meter.CreateObservableCounter(
            "grpc_server_started_total", () => ByPath.Values.Select(m => m.Started()), null, "Total number of RPCs started on the server.");
        StoreMetrics.Meter.CreateObservableCounter(
            "grpc_server_handled_total", () => ByPath.Values.SelectMany(m => m.Handled()), null, "Total number of RPCs completed on the server, regardless of success or failure.");
    }

    GrpcMetrics(MethodDescriptor descriptor)
    {
        type = new("grpc_type", (descriptor.IsClientStreaming, descriptor.IsServerStreaming) switch
        {
            (false, false) => "unary",
            (false, true) => "server_stream",
            (true, false) => "client_stream",
            _ => "bidi_stream",
        });
        service = new("grpc_service", descriptor.Service.FullName);
        method = new("grpc_method", descriptor.Name);
    }

    /// <summary>Null for a path that is none of etcd's methods.</summary>
    public static GrpcMetrics? Of(string path) => ByPath.GetValueOrDefault(path);

    /// <summary>Gives the moment for <see cref="End"/>.</summary>
    public long Start()
    {
        started.Add();
        return Stopwatch.GetTimestamp();
    }

    public void End(long start, StatusCode code)
    {
        handled[(int)code].Add();
        HandlingSeconds.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, type, service, method);
    }

    Measurement<long> Started() => new(started.Value, type, service, method);

    IEnumerable<Measurement<long>> Handled() => Enum.GetValues<StatusCode>()
        .Where(code => code == StatusCode.OK || handled[(int)code].Value != 0)
        .Select(code => new Measurement<long>(handled[(int)code].Value, type, service, method, new("grpc_code", NameInGo(code))));

    static string NameInGo(StatusCode code) => code == StatusCode.Cancelled ? "Canceled" : code.ToString();
}
