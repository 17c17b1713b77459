namespace Store.Server;

/// <summary>The flags of traces, under their names of etcd 3.5 as well.</summary>
static class TraceFlags
{
    const string Old = "experimental-";

    /// <summary>Null: none.</summary>
    public static TraceOptions? Read(FlagValues flags)
    {
        if (!flags.Boolean(Name(flags, "enable-distributed-tracing"))) return null;
        var address = flags.Text(Name(flags, "distributed-tracing-address"));
        if (!Uri.TryCreate($"http://{address}", UriKind.Absolute, out var uri) || uri.AbsolutePath != "/" || address.Contains('/', StringComparison.Ordinal))
            throw new FlagException($"--distributed-tracing-address must be a host and a port such as localhost:4317, not '{address}'");
        return new()
        {
            Address = address,
            ServiceName = flags.Text(Name(flags, "distributed-tracing-service-name")),
            InstanceId = flags.Text(Name(flags, "distributed-tracing-instance-id")),
            SamplesPerMillion = flags.Number(Name(flags, "distributed-tracing-sampling-rate"), 0, 1_000_000),
        };
    }

    static string Name(FlagValues flags, string name) => flags.Has(Old + name) ? Old + name : name;
}

public sealed record TraceOptions
{
    /// <summary>Host and port of an OTLP collector that speaks gRPC in clear.</summary>
    public required string Address { get; init; }
    public string ServiceName { get; init; } = "etcd";
    public string InstanceId { get; init; } = "";
    public int SamplesPerMillion { get; init; }
}
