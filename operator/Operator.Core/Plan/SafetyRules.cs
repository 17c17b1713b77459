namespace Operator.Core;

/// <summary>Rules that only ever stop the ones below.</summary>
static class SafetyRules
{
    /// <summary>Owner references do the deleting, so there is no finalizer that could wedge a namespace.</summary>
    public static Decision Deleting(Diagnosis diagnosis) => diagnosis.View.Cluster.Metadata.DeletionTimestamp is null
        ? Decision.NothingToDo
        : new Decision.Halt("Deleting", "the StoreCluster is being deleted; Kubernetes removes what it owns");

    public static Decision Paused(Diagnosis diagnosis) => diagnosis.View.Spec.Paused
        ? new Decision.Halt("Paused", "spec.paused is set: nothing is changed until it is taken away")
        : Decision.NothingToDo;

    public static Decision InvalidSpec(Diagnosis diagnosis) => diagnosis.InvalidSpec is { } error
        ? new Decision.Halt("InvalidSpec", error)
        : Decision.NothingToDo;

    /// <summary>Objects of an earlier StoreCluster of this name that are still being collected, or somebody else's. Pods and volume claims have other owners
    /// by nature and are told apart by their never-reused names.</summary>
    public static Decision ForeignObjects(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        foreach (var child in view.StatefulSets.Concat<k8s.IKubernetesObject<k8s.Models.V1ObjectMeta>>(view.Services).Concat(view.Budgets).Concat(view.Secrets).Concat(view.Managed))
        {
            if (!view.Owns(child))
                return new Decision.Halt("NameTaken", $"{child.Kind ?? child.GetType().Name[2..]} {child.Metadata.Name} belongs to another owner; it has to go first");
        }

        return Decision.NothingToDo;
    }

    public static Decision ClusterIdConflict(Diagnosis diagnosis)
    {
        if (diagnosis.View.Status.ClusterId is not { } latched) return Decision.NothingToDo;
        foreach (var (name, report) in diagnosis.View.Reports.OrderBy(pair => pair.Key.Number))
        {
            if (report.ClusterId != latched)
                return new Decision.Halt("ClusterIdConflict", $"member {name} says it belongs to cluster {report.ClusterId}, but this is {latched}; nothing is changed until somebody has looked");
        }

        return Decision.NothingToDo;
    }

    /// <summary>No membership is changed without having read it linearizably in this very pass.</summary>
    public static Decision Quorum(Diagnosis diagnosis)
    {
        if (diagnosis.View.Membership is not null) return Decision.NothingToDo;
        var worst = diagnosis.Members.Where(member => !member.Ready).Select(member => member.Health.Message).FirstOrDefault();
        return new Decision.Halt("NoQuorum", "the store's member list cannot be read" + (worst is null ? "" : $"; {worst}"));
    }
}
