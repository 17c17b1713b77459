using System.Text.Json.Serialization;
using k8s.Models;

namespace Operator.Core;

/// <summary>What a team's platform asks of every pod. What the operator itself sets (the store's container, its probes, its arguments) cannot be changed here.</summary>
public sealed record PodTemplateSpec
{
    [JsonPropertyName("labels")]
    [Doc("More labels of the pods. Labels of the operator's own cannot be overridden.")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [JsonPropertyName("annotations")]
    [Doc("More annotations of the pods.")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    [JsonPropertyName("env")]
    [Doc("Environment of the store's container, as in a pod.")]
    [ListMap("name")]
    public IReadOnlyList<EnvSpec>? Env { get; init; }

    [JsonPropertyName("volumes")]
    [Doc("More volumes, as in a pod. data, tmp and names that begin with tls-, backup- or restore- are taken.")]
    public IReadOnlyList<V1Volume>? Volumes { get; init; }

    [JsonPropertyName("volumeMounts")]
    [Doc("Where the store's container sees them, as in a pod.")]
    public IReadOnlyList<V1VolumeMount>? VolumeMounts { get; init; }

    [JsonPropertyName("initContainers")]
    [Doc("Containers that run before the store starts, as in a pod. The same names are taken as in sidecars.")]
    public IReadOnlyList<V1Container>? InitContainers { get; init; }

    [JsonPropertyName("sidecars")]
    [Doc("Containers beside the store, as in a pod. The names store, backup-agent and restore are taken.")]
    public IReadOnlyList<V1Container>? Sidecars { get; init; }

    [JsonPropertyName("terminationGracePeriodSeconds")]
    [Doc("Time for a member to stop; 60 when absent.")]
    [Range(1, 3600)]
    public int? TerminationGracePeriodSeconds { get; init; }

    [JsonPropertyName("serviceAccountName")]
    [Doc("ServiceAccount of the pods. Its token is not mounted.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public string? ServiceAccountName { get; init; }
}

public sealed record EnvSpec
{
    [JsonPropertyName("name")]
    [Doc("Name of the variable. ETCD_ variables are the operator's: options of the store are spec.server.")]
    [Pattern("^[A-Za-z_][A-Za-z0-9_]*$", MaxLength = 253)]
    public required string Name { get; init; }

    [JsonPropertyName("value")]
    [Doc("Its value.")]
    public required string Value { get; init; }
}
