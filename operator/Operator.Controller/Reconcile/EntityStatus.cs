using k8s;
using k8s.Models;

namespace Operator.Controller;

/// <summary>Writes the status of an entity, compared-and-swapped on the version that the pass saw.</summary>
static class EntityStatus
{
    /// <summary>Somebody was faster: what is there now is about to arrive.</summary>
    static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);

    /// <param name="entity">With its new status.</param>
    /// <returns>Null when it is written and in the cache; else how the pass ends.</returns>
    public static async Task<Result?> WriteAsync<T>(KubeApi api, ObjectStore<T> cache, Fence fence, T entity, CancellationToken cancellation) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        fence.Require();
        var answer = await api.ReplaceStatusAsync(entity, cancellation);
        if (answer.Error is { } error) return error.Conflict || error.NotFound ? Result.After(Soon) : Result.Fail(error.ToString());
        cache.Upsert(answer.Value!);
        return null;
    }
}
