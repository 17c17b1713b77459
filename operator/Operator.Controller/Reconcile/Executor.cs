using k8s;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Carries out one step. Each answer goes into the caches at once, so that the next pass sees what this one did.</summary>
sealed class Executor(KubeApi api, Caches caches, MemberClient members, AuthExecutor authentication, LoginTokens tokens, Fence fence)
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
            Step.Apply { Object: V1Secret secret } => await ApplyAsync(view, secret, cancellation),
            Step.Apply { Object: ManagedCertificate certificate } => await ApplyAsync(view, certificate, cancellation),
            Step.MintAuthority { Version: null } mint => Words((await api.CreateAsync(CertificateSigner.Authority(view, mint), cancellation)).Error),
            Step.MintAuthority mint => await ApplyAsync(view, CertificateSigner.Authority(view, mint), cancellation),
            Step.IssueCertificate issue => await ApplyAsync(view, CertificateSigner.Leaf(view, issue), cancellation),
            Step.RefreshPod refresh => await RefreshAsync(view, refresh, cancellation),
            Step.DeleteSecret delete => Words(await api.DeleteAsync<V1Secret>(Key(view, delete.Secret), delete.Uid, cancellation)),
            Step.DeleteManagedCertificate delete => Words(await api.DeleteAsync<ManagedCertificate>(Key(view, delete.Certificate), delete.Uid, cancellation)),
            Step.AddLearner add => await AskAnyAsync(view, null, address => members.AddLearnerAsync(address, token, add.PeerUrl, cancellation)),
            Step.Promote promote => await AskAnyAsync(view, promote.Member, address => members.PromoteAsync(address, token, promote.Id, cancellation)),
            Step.RemoveMember remove => await AskAnyAsync(view, remove.Member, address => members.RemoveAsync(address, token, remove.Id, cancellation)),
            Step.MoveLeader move => members.EndpointOf(view, move.From) is { } leader
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

    async Task<string?> ApplyAsync<T>(ClusterView view, T rendered, ObjectStore<T> store, CancellationToken cancellation) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = ObjectStore<T>.KeyOf(rendered);
        if (store.Get(key) is null && await TakenAsync<T>(view, key, rendered.Kind, cancellation) is { } taken) return taken;
        var answer = await api.ApplyAsync(rendered, cancellation);
        if (answer.Value is { } applied) store.Upsert(applied);
        return answer.Error?.ToString();
    }

    /// <summary>Secrets are in no cache; what the pass has read is as good.</summary>
    async Task<string?> ApplyAsync(ClusterView view, V1Secret rendered, CancellationToken cancellation)
    {
        if (rendered.Metadata.ResourceVersion is not null) return await ReplaceDataAsync(view, rendered, cancellation);
        if (view.Secret(rendered.Metadata.Name) is null && await TakenAsync<V1Secret>(view, Key(view, rendered.Metadata.Name), rendered.Kind, cancellation) is { } taken) return taken;
        return Words((await api.ApplyAsync(rendered, cancellation)).Error);
    }

    /// <summary>Of a Secret at a version: a conflict is somebody else's write, to be looked at. It was created, not applied, so that two could not both make it; an entry
    /// that is applied no more would stay, for it is its creator's as well. A merge patch takes it away.</summary>
    async Task<string?> ReplaceDataAsync(ClusterView view, V1Secret rendered, CancellationToken cancellation)
    {
        var data = (view.Secrets.FirstOrDefault(secret => secret.Metadata.Name == rendered.Metadata.Name)?.Data?.Keys ?? []).ToDictionary(entry => entry, _ => (byte[]?)null, StringComparer.Ordinal);
        foreach (var (entry, value) in rendered.Data) data[entry] = value;
        var patch = KubernetesJson.Serialize(new Dictionary<string, object> { ["metadata"] = new Dictionary<string, string> { ["resourceVersion"] = rendered.Metadata.ResourceVersion }, ["data"] = data });
        return Words((await api.MergePatchAsync<V1Secret>(Key(view, rendered.Metadata.Name), patch, cancellation)).Error);
    }

    /// <inheritdoc cref="ApplyAsync(ClusterView, V1Secret, CancellationToken)"/>
    async Task<string?> ApplyAsync(ClusterView view, ManagedCertificate rendered, CancellationToken cancellation)
    {
        var known = view.Managed.Any(there => there.Metadata.Name == rendered.Metadata.Name && view.Owns(there));
        if (!known && await TakenAsync<ManagedCertificate>(view, Key(view, rendered.Metadata.Name), rendered.Kind, cancellation) is { } taken) return taken;
        return (await api.ApplyAsync(rendered, cancellation)).Error?.ToString();
    }

    /// <summary>Of the pod that was seen: another one of that name has mounted its Secrets since.</summary>
    async Task<string?> RefreshAsync(ClusterView view, Step.RefreshPod refresh, CancellationToken cancellation)
    {
        var metadata = new Dictionary<string, object> { ["uid"] = refresh.Uid, ["annotations"] = new Dictionary<string, string> { [Annotations.Certificates] = refresh.Contents } };
        var answer = await api.MergePatchAsync<V1Pod>(Key(view, refresh.Pod), KubernetesJson.Serialize(new Dictionary<string, object> { ["metadata"] = metadata }), cancellation);
        if (answer.Value is { } pod) caches.Pods.Upsert(pod);
        return Words(answer.Error);
    }

    /// <summary>What the operator does not know of can also have been made by somebody else, without our label. Apply with force would take it over.</summary>
    async Task<string?> TakenAsync<T>(ClusterView view, ObjectKey key, string kind, CancellationToken cancellation) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var there = await api.GetAsync<T>(key, cancellation);
        if (there.Value is { } foreign && !view.Owns(foreign)) return $"{kind} {key.Name} exists and belongs to somebody else; rename the StoreCluster or remove it";
        return there.Error is { NotFound: false } error ? error.ToString() : null;
    }

    /// <summary>Any member passes a change on to the leader; the one that the change is about is asked last.</summary>
    async Task<string?> AskAnyAsync(ClusterView view, MemberName? about, Func<MemberEndpoint, Task<string?>> ask)
    {
        var asked = view.Reports.Where(report => report.Value.Leader != 0)
            .OrderBy(report => report.Key == about).ThenByDescending(report => report.Value.Leader == report.Value.MemberId).ThenBy(report => report.Key.Number)
            .Select(report => members.EndpointOf(view, report.Key)).FirstOrDefault(address => address is not null);
        return asked is null ? "no member answers" : await ask(asked);
    }

    /// <summary>A cache that lags may not know of the pod yet: it was made a moment ago, and its member is removed already. So Kubernetes itself is asked.</summary>
    async Task<string?> DeleteClaimAsync(ClusterView view, Step.DeleteClaim delete, CancellationToken cancellation)
    {
        var pod = await api.GetAsync<V1Pod>(Key(view, delete.Member.Pod), cancellation);
        if (pod.Value is { } there) caches.Pods.Upsert(there);
        if (pod.Error is not { NotFound: true }) return pod.Error?.ToString();
        return Words(await api.DeleteAsync<V1PersistentVolumeClaim>(Key(view, delete.Claim), delete.Uid, cancellation));
    }

    async Task<string?> ResizeAsync(ClusterView view, Step.ResizeClaim resize, CancellationToken cancellation)
    {
        var patch = $$"""{ "spec": { "resources": { "requests": { "storage": {{KubernetesJson.Serialize(resize.Size.Text)}} } } } }""";
        var answer = await api.MergePatchAsync<V1PersistentVolumeClaim>(Key(view, resize.Claim), patch, cancellation);
        if (answer.Value is { } claim) caches.Claims.Upsert(claim);
        return answer.Error?.ToString();
    }

    async Task<string?> OwnAsync(ClusterView view, Step.OwnClaim own, CancellationToken cancellation)
    {
        // A merge patch, because other controllers have fields on a claim that apply would have to know about; null removes the list.
        var owners = own.Owned ? KubernetesJson.Serialize(new[] { Labels.Owner(view.Cluster) }) : "null";
        var answer = await api.MergePatchAsync<V1PersistentVolumeClaim>(Key(view, own.Claim), $$$"""{"metadata":{"ownerReferences":{{{owners}}}}}""", cancellation);
        if (answer.Value is { } claim) caches.Claims.Upsert(claim);
        return answer.Error?.ToString();
    }

    /// <summary>What is gone already, or gone and back under another uid, is what was wanted.</summary>
    static string? Words(ApiError? error) => error is null or { NotFound: true } or { Conflict: true } ? null : error.ToString();

    static ObjectKey Key(ClusterView view, string name) => new(view.Namespace, name);
}
