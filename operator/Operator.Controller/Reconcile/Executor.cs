using k8s;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Carries out one step. Each answer goes into the caches at once, so that the next pass sees what this one did.</summary>
internal sealed class Executor(KubeApi api, Caches caches, MemberClient members, AuthExecutor authentication, LoginTokens tokens, Fence fence)
{
    /// <returns>Null, or what went wrong.</returns>
    public async Task<string?> ExecuteAsync(ClusterView view, Step step, CancellationToken cancellation)
    {
        fence.Require();
        var token = tokens.Of(view.Cluster)?.Token;
        return step switch
        {
            Step.Apply { Object: V1StatefulSet set } => await ApplyAsync(view, set, caches.StatefulSets, cancellation),
            Step.Apply { Object: V1Service service } => await ApplyAsync(view, service, caches.Services, cancellation),
            Step.Apply { Object: V1PodDisruptionBudget budget } => await ApplyAsync(view, budget, caches.Budgets, cancellation),
            Step.AddLearner add => await AskAnyAsync(view, null, address => members.AddLearnerAsync(address, token, add.PeerUrl, cancellation)),
            Step.Promote promote => await AskAnyAsync(view, promote.Member, address => members.PromoteAsync(address, token, promote.Id, cancellation)),
            Step.RemoveMember remove => await AskAnyAsync(view, remove.Member, address => members.RemoveAsync(address, token, remove.Id, cancellation)),
            Step.MoveLeader move => Address(view, move.From) is { } leader
                ? await members.MoveLeaderAsync(leader, token, move.ToId, cancellation)
                : $"the leader {move.From} has no address",
            Step.DeletePod delete => Words(await api.DeleteAsync<V1Pod>(Key(view, delete.Pod), delete.Uid, delete.Force ? 0 : null, cancellation)),
            Step.DeleteStatefulSet delete => Words(await api.DeleteAsync<V1StatefulSet>(Key(view, delete.Member.ToString()), delete.Uid, cancellation)),
            Step.DeleteBudget delete => Words(await api.DeleteAsync<V1PodDisruptionBudget>(Key(view, delete.Budget), delete.Uid, cancellation)),
            Step.DeleteClaim delete => await DeleteClaimAsync(view, delete, cancellation),
            Step.ResizeClaim resize => await ResizeAsync(view, resize, cancellation),
            Step.OwnClaim own => await OwnAsync(view, own, cancellation),
            Step.Authentication change => await authentication.ExecuteAsync(view, change, cancellation),
            _ => throw new InvalidOperationException($"{step.GetType().Name} is no step for the executor"),
        };
    }

    private async Task<string?> ApplyAsync<T>(ClusterView view, T rendered, ObjectStore<T> store, CancellationToken cancellation) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = ObjectStore<T>.KeyOf(rendered);
        if (store.Get(key) is null)
        {
            // Not in the cache can also mean: made by somebody else, without our label. Apply with force would take it over.
            var there = await api.GetAsync<T>(key, cancellation);
            if (there.Value is { } foreign && !view.Owns(foreign)) return $"{rendered.Kind} {key.Name} exists and belongs to somebody else; rename the StoreCluster or remove it";
            if (there.Error is { NotFound: false } error) return error.ToString();
        }

        var answer = await api.ApplyAsync(rendered, cancellation);
        if (answer.Value is { } applied) store.Upsert(applied);
        return answer.Error?.ToString();
    }

    /// <summary>Any member passes a change on to the leader; the one that the change is about is asked last.</summary>
    private static async Task<string?> AskAnyAsync(ClusterView view, MemberName? about, Func<string, Task<string?>> ask)
    {
        var asked = view.Reports.Where(report => report.Value.Leader != 0)
            .OrderBy(report => report.Key == about).ThenByDescending(report => report.Value.Leader == report.Value.MemberId).ThenBy(report => report.Key.Number)
            .Select(report => Address(view, report.Key)).FirstOrDefault(address => address is not null);
        return asked is null ? "no member answers" : await ask(asked);
    }

    /// <summary>A cache that lags may not know of the pod yet: it was made a moment ago, and its member is removed already. So Kubernetes itself is asked.</summary>
    private async Task<string?> DeleteClaimAsync(ClusterView view, Step.DeleteClaim delete, CancellationToken cancellation)
    {
        var pod = await api.GetAsync<V1Pod>(Key(view, delete.Member.Pod), cancellation);
        if (pod.Value is { } there) caches.Pods.Upsert(there);
        if (pod.Error is not { NotFound: true }) return pod.Error?.ToString();
        return Words(await api.DeleteAsync<V1PersistentVolumeClaim>(Key(view, delete.Claim), delete.Uid, cancellation));
    }

    private async Task<string?> ResizeAsync(ClusterView view, Step.ResizeClaim resize, CancellationToken cancellation)
    {
        var patch = $$"""{ "spec": { "resources": { "requests": { "storage": {{KubernetesJson.Serialize(resize.Size.Text)}} } } } }""";
        var answer = await api.MergePatchAsync<V1PersistentVolumeClaim>(Key(view, resize.Claim), patch, cancellation);
        if (answer.Value is { } claim) caches.Claims.Upsert(claim);
        return answer.Error?.ToString();
    }

    private async Task<string?> OwnAsync(ClusterView view, Step.OwnClaim own, CancellationToken cancellation)
    {
        // A merge patch, because other controllers have fields on a claim that apply would have to know about; null removes the list.
        var owners = own.Owned ? KubernetesJson.Serialize(new[] { Labels.Owner(view.Cluster) }) : "null";
        var answer = await api.MergePatchAsync<V1PersistentVolumeClaim>(Key(view, own.Claim), $$$"""{"metadata":{"ownerReferences":{{{owners}}}}}""", cancellation);
        if (answer.Value is { } claim) caches.Claims.Upsert(claim);
        return answer.Error?.ToString();
    }

    /// <summary>What is gone already, or gone and back under another uid, is what was wanted.</summary>
    private static string? Words(ApiError? error) => error is null or { NotFound: true } or { Conflict: true } ? null : error.ToString();

    private static ObjectKey Key(ClusterView view, string name) => new(view.Namespace, name);

    public static string? Address(ClusterView view, MemberName member) =>
        view.Pods.FirstOrDefault(pod => pod.Metadata.Name == member.Pod)?.Status?.PodIP is { Length: > 0 } ip
            ? MemberClient.Address(ip)
            : null;
}
