using k8s.Models;

namespace Operator.Core;

/// <summary>Keeps a quorum through node drains. Of 3 wanted members 2 must stay, of 5 three, and of 1 that one: so a single member's node cannot be
/// drained until somebody decides to, which is better than a store that is gone without asking.</summary>
public static class DisruptionBudget
{
    public static V1PodDisruptionBudget Build(StoreCluster cluster, int voters)
    {
        var counted = Math.Max(cluster.Spec.Replicas, voters);
        return Applied.Stamp(new V1PodDisruptionBudget
        {
            ApiVersion = "policy/v1",
            Kind = "PodDisruptionBudget",
            Metadata = new V1ObjectMeta
            {
                Name = Names.Budget(cluster.Metadata.Name),
                NamespaceProperty = cluster.Metadata.NamespaceProperty,
                Labels = Labels.OfCluster(cluster.Metadata.Name),
                OwnerReferences = [Labels.Owner(cluster)],
            },
            Spec = new V1PodDisruptionBudgetSpec
            {
                MinAvailable = counted / 2 + 1,
                Selector = new V1LabelSelector { MatchLabels = Labels.Selector(cluster.Metadata.Name) },
            },
        });
    }
}
