using k8s;

namespace Operator.Core;

/// <summary>Going back by itself to what served, when an update does not serve (spec.update.onFailure: Rollback).</summary>
/// <remarks>
/// The spec stays as the user wrote it; what members are made from is another matter, kept in status.update:
///   1. every member serves from template a1: its spec is written to status as stable;
///   2. the spec changes, the first member restarts from template a2 and does not serve in its time: "a2 failed" goes to status;
///   3. from now on the stable spec's template is the wanted one, so the stuck member is of another and is restarted (Unwedge), and so are those that had been
///      updated before it (Roll); the templates of all others still are a1;
///   4. the spec changes again: its template is not a2, so it is tried.
/// </remarks>
static class Rollback
{
    /// <summary>What members are made from: the wanted spec, or the last one from which all served after an update to the wanted one has failed.</summary>
    public static (StoreCluster Cluster, string Image) Effective(ClusterView view)
    {
        var wanted = (view.Cluster, Image: StoreImage.Of(view.Spec, view.DefaultImage));
        return IsInForce(view) ? (Stable(view), view.Status.Update!.StableImage!) : wanted;
    }

    /// <summary>Names the template that members are made from.</summary>
    public static string Render(ClusterView view)
    {
        var (cluster, image) = Effective(view);
        return MemberStatefulSet.Render(cluster, image);
    }

    /// <summary>Whether the spec as it is now has failed and members are made from the stable one.</summary>
    public static bool IsInForce(ClusterView view) =>
        view.Status.Update is { Failed: { } failed, StableSpec: not null, StableImage: not null } && failed == Wanted(view);

    public static Decision Start(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Spec.Update.OnFailure != UpdateSpec.Rollback || view.Status.Update is not { StableSpec: not null } update || IsInForce(view)) return Decision.NothingToDo;
        if (diagnosis.Members.FirstOrDefault(member => RestartRules.Overdue(diagnosis, member)) is not { Loss: null } failed) return Decision.NothingToDo;
        var wanted = Wanted(view);
        return update.Stable == wanted
            ? Decision.NothingToDo
            : new Decision.Act(new Step.RollBack(wanted, $"{failed.Name} did not serve within {view.Spec.Update.MemberTimeoutSeconds} s of its restart: {failed.Health.Message}"));
    }

    /// <summary>What status keeps of it: the present spec as soon as all serve from it, and a failure for as long as the spec is the one that failed.</summary>
    public static UpdateStatus? Remember(Diagnosis diagnosis, Plan plan)
    {
        var view = diagnosis.View;
        if (view.Spec.Update.OnFailure != UpdateSpec.Rollback) return null;
        if (diagnosis.InvalidSpec is not null || IsInForce(view)) return view.Status.Update;
        var kept = view.Status.Update is { Failed: not null } past ? past with { Failed = null, Message = null } : view.Status.Update;
        var stable = new UpdateStatus { Stable = Wanted(view), StableImage = StoreImage.Of(view.Spec, view.DefaultImage), StableSpec = KubernetesJson.Serialize(PodsOf(view.Spec, new StoreClusterSpec())) };
        return ReadyCondition.Judge(diagnosis, plan).Status == "True" && kept != stable ? stable : kept;
    }

    static string Wanted(ClusterView view) => MemberStatefulSet.Render(view.Cluster, StoreImage.Of(view.Spec, view.DefaultImage));

    /// <summary>The wanted StoreCluster with everything that a pod is made from as it was.</summary>
    static StoreCluster Stable(ClusterView view) =>
        view.Cluster with { Spec = PodsOf(KubernetesJson.Deserialize<StoreClusterSpec>(view.Status.Update!.StableSpec!), view.Spec) };

    /// <summary>What pods are made from as the first has it, and all else as the second.</summary>
    static StoreClusterSpec PodsOf(StoreClusterSpec pods, StoreClusterSpec others) => others with
    {
        Version = pods.Version,
        Image = pods.Image,
        Resources = pods.Resources,
        Server = pods.Server,
        Backup = pods.Backup,
        Tls = pods.Tls,
        Topology = pods.Topology,
        Scheduling = pods.Scheduling,
        Monitoring = pods.Monitoring,
        PodTemplate = pods.PodTemplate,
    };
}
