using System.Text.Json.Serialization;
using k8s.Models;

namespace Operator.Core;

public sealed record TopologySpec
{
    [JsonPropertyName("zones")]
    [Doc("Spread over zones.")]
    [Default("{}")]
    public ZoneSpreadSpec Zones { get; init; } = new();

    [JsonPropertyName("hosts")]
    [Doc("Spread over nodes: Preferred puts two members on one node rather than none, Required never does, Off does not care.")]
    [Default(Spread.Preferred)]
    [OneOf(Spread.Preferred, Spread.Required, Spread.Off)]
    public string Hosts { get; init; } = Spread.Preferred;
}

public sealed record ZoneSpreadSpec
{
    [JsonPropertyName("key")]
    [Doc("The nodes' label that names their zone.")]
    [Default("topology.kubernetes.io/zone")]
    [Pattern("^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$", MaxLength = 317)]
    public string Key { get; init; } = "topology.kubernetes.io/zone";

    [JsonPropertyName("mode")]
    [Doc("Preferred spreads evenly where it can, Required leaves a member unscheduled rather than make one zone two members richer than another, Off does not care.")]
    [Default(Spread.Preferred)]
    [OneOf(Spread.Preferred, Spread.Required, Spread.Off)]
    public string Mode { get; init; } = Spread.Preferred;
}

public static class Spread
{
    public const string Preferred = "Preferred";
    public const string Required = "Required";
    public const string Off = "Off";
}

public sealed record SchedulingSpec
{
    [JsonPropertyName("nodeSelector")]
    [Doc("Labels that a member's node must have.")]
    public IReadOnlyDictionary<string, string>? NodeSelector { get; init; }

    [JsonPropertyName("tolerations")]
    [Doc("Taints that members tolerate, as in a pod.")]
    public IReadOnlyList<V1Toleration>? Tolerations { get; init; }

    [JsonPropertyName("nodeAffinity")]
    [Doc("Which nodes members want or need, as in a pod. Spreading is spec.topology.")]
    public V1NodeAffinity? NodeAffinity { get; init; }

    [JsonPropertyName("priorityClassName")]
    [Doc("PriorityClass of the members' pods.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public string? PriorityClassName { get; init; }

    [JsonPropertyName("schedulerName")]
    [Doc("Scheduler of the members' pods; Kubernetes' own when absent.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public string? SchedulerName { get; init; }
}
