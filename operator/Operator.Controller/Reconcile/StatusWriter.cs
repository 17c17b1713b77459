using k8s;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Writes a status when it says something new, compared-and-swapped on the version that it was judged from.</summary>
internal sealed class StatusWriter(KubeApi api, ObjectStore<StoreCluster> clusters, Fence fence, EventRecorder events, ILogger log)
{
    /// <returns>Null, or why it was not written; a conflict means that the pass saw an old object and has to be run again.</returns>
    public async Task<ApiError?> WriteAsync(StoreCluster cluster, StoreClusterStatus status, CancellationToken cancellation)
    {
        if (KubernetesJson.Serialize(status) == KubernetesJson.Serialize(cluster.Status ?? new StoreClusterStatus())) return null;
        fence.Require();
        var answer = await api.ReplaceStatusAsync(cluster with { Status = status }, cancellation);
        if (answer.Error is { } error) return error;
        clusters.Upsert(answer.Value!);
        Tell(cluster, status);
        return null;
    }

    /// <summary>A change of Ready is what people want to see in <c>kubectl describe</c>.</summary>
    private void Tell(StoreCluster cluster, StoreClusterStatus status)
    {
        var before = cluster.Status?.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.Ready);
        var now = status.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.Ready);
        if (now is null || (before?.Status == now.Status && before.Reason == now.Reason)) return;
        Log.ReadyChanged(log, ObjectStore<StoreCluster>.KeyOf(cluster), now.Status, now.Reason, now.Message);
        if (now.Status == "True" || s_ordinary.Contains(now.Reason)) events.Normal(cluster, now.Reason, now.Message);
        else events.Warning(cluster, now.Reason, now.Message);
    }

    private static readonly HashSet<string> s_ordinary = ["Forming", "Scaling", "Updating", "Deleting", Operations.Form, Operations.Add, Operations.Remove];
}
