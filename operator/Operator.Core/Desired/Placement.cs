using k8s.Models;

namespace Operator.Core;

/// <summary>spec.topology and spec.scheduling as a pod says them.</summary>
static class Placement
{
    public static V1Affinity? Affinity(StoreCluster cluster)
    {
        var hosts = cluster.Spec.Topology.Hosts;
        var nodes = cluster.Spec.Scheduling?.NodeAffinity;
        return hosts == Spread.Off && nodes is null
            ? null
            : new V1Affinity { NodeAffinity = nodes, PodAntiAffinity = hosts == Spread.Off ? null : Apart(cluster, required: hosts == Spread.Required) };
    }

    /// <summary>Preferred by default, so that a cluster of three still starts where there is one node.</summary>
    static V1PodAntiAffinity Apart(StoreCluster cluster, bool required)
    {
        var term = new V1PodAffinityTerm
        {
            TopologyKey = "kubernetes.io/hostname",
            LabelSelector = new V1LabelSelector { MatchLabels = Labels.Selector(cluster.Metadata.Name) },
        };
        return required
            ? new V1PodAntiAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [term] }
            : new V1PodAntiAffinity { PreferredDuringSchedulingIgnoredDuringExecution = [new V1WeightedPodAffinityTerm { Weight = 100, PodAffinityTerm = term }] };
    }

    /// <summary>At most one member more in one zone than in another.</summary>
    public static List<V1TopologySpreadConstraint>? OverZones(StoreCluster cluster)
    {
        var zones = cluster.Spec.Topology.Zones;
        return zones.Mode == Spread.Off
            ? null
            :
            [
                new V1TopologySpreadConstraint
                {
                    MaxSkew = 1,
                    TopologyKey = zones.Key,
                    WhenUnsatisfiable = zones.Mode == Spread.Required ? "DoNotSchedule" : "ScheduleAnyway",
                    LabelSelector = new V1LabelSelector { MatchLabels = Labels.Selector(cluster.Metadata.Name) },
                },
            ];
    }
}
