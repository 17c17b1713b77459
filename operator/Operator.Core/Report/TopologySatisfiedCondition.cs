using k8s.Models;

namespace Operator.Core;

/// <summary>True when no two members share what spec.topology wants them to spread over. Preferred spreading gives way to a small cluster, and then this says so.</summary>
static class TopologySatisfiedCondition
{
    public static Verdict Judge(Diagnosis diagnosis)
    {
        var topology = diagnosis.View.Spec.Topology;
        var placed = diagnosis.Members.Where(member => member.Pod?.Spec?.NodeName is not null && member.Health.State != MemberState.Leaving).ToList();
        if (topology.Hosts != Spread.Off && placed.GroupBy(member => member.Pod!.Spec.NodeName).FirstOrDefault(group => group.Count() > 1) is { } node)
            return new Verdict("False", "SharedNode", $"{string.Join(" and ", node.Select(member => member.Name))} run on node {node.Key}: it takes all of them when it fails");
        // A zone may hold several members; it must not hold all of them.
        var zones = placed.Select(member => ZoneOf(diagnosis.View.Spec, member.Pod)).Distinct().ToList();
        return topology.Zones.Mode != Spread.Off && placed.Count > 1 && zones is [{ } only]
            ? new Verdict("False", "SharedZone", $"all members run in zone {only}")
            : new Verdict("True", "Spread", placed.Count < 2 ? "there is nothing to spread" : "no node holds two members");
    }

    /// <summary>Newer versions of Kubernetes copy the node's zone to its pods; a right to read nodes would be one on the whole cluster.</summary>
    public static string? ZoneOf(StoreClusterSpec spec, V1Pod? pod) =>
        pod?.Metadata.Labels is { } labels && labels.TryGetValue(spec.Topology.Zones.Key, out var zone) ? zone : null;
}
