using System.Text.Json.Serialization;

namespace Operator.Core;

public sealed record ServicesSpec
{
    [JsonPropertyName("client")]
    [Doc("The Service that clients use; it has the StoreCluster's name.")]
    [Default("{}")]
    public ClientServiceSpec Client { get; init; } = new();
}

public sealed record ClientServiceSpec
{
    [JsonPropertyName("type")]
    [Doc("How it is reached.")]
    [Default("ClusterIP")]
    [OneOf("ClusterIP", "NodePort", "LoadBalancer")]
    public string Type { get; init; } = "ClusterIP";

    [JsonPropertyName("annotations")]
    [Doc("More annotations, for a cloud's load balancer say.")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    [JsonPropertyName("labels")]
    [Doc("More labels.")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [JsonPropertyName("ipFamilyPolicy")]
    [Doc("Addresses of one or of both families; the cluster's default when absent.")]
    [OneOf("SingleStack", "PreferDualStack", "RequireDualStack")]
    public string? IpFamilyPolicy { get; init; }
}

public sealed record MonitoringSpec
{
    [JsonPropertyName("annotations")]
    [Doc("Annotate pods with prometheus.io/scrape, port and path.")]
    [Default(true)]
    public bool Annotations { get; init; } = true;
}
