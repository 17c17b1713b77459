using System.Collections.Concurrent;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Reads the Secrets of a cluster's certificates.</summary>
/// <remarks>Anew in each pass and not by a watch: the operator has no right to the Secrets of a whole Kubernetes, only to those of namespaces that it was given. One
/// that has not changed stays the same object, so that what was read off it need not be read again.</remarks>
internal sealed class CertificateSecrets(KubeApi api)
{
    private readonly ConcurrentDictionary<ObjectKey, IReadOnlyList<V1Secret>> _last = new();

    /// <returns>The operator's own Secrets; or why they could not be read.</returns>
    public async Task<(IReadOnlyList<V1Secret> Secrets, string? Refused)> ReadAsync(StoreCluster cluster, CancellationToken cancellation)
    {
        if (cluster.Spec.Tls is null) return ([], null);
        var key = ObjectStore<StoreCluster>.KeyOf(cluster);
        var answer = await api.ListAsync<V1Secret>(key.Namespace, $"{Labels.ManagedByOperator},{Labels.Cluster}={key.Name}", next: null, cancellation);
        if (answer.Error is { } error) return ([], error.ToString());
        var before = _last.GetValueOrDefault(key) ?? [];
        var read = answer.Value!.Items.Select(secret => before.FirstOrDefault(same => same.Metadata.Uid == secret.Metadata.Uid && same.Metadata.ResourceVersion == secret.Metadata.ResourceVersion) ?? secret).ToList();
        _last[key] = read;
        return (read, null);
    }

    public void Forget(ObjectKey key) => _last.TryRemove(key, out _);
}
