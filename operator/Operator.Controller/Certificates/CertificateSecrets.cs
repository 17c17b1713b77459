using System.Collections.Concurrent;
using System.Net;
using k8s;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Reads the Secrets of a cluster's certificates, and cert-manager's Certificates where it signs.</summary>
/// <remarks>Anew in each pass and not by a watch: the operator has no right to the Secrets of a whole Kubernetes, only to those of namespaces that it was given. One
/// that has not changed stays the same object, so that what was read off it need not be read again.</remarks>
sealed class CertificateSecrets(KubeApi api)
{
    readonly ConcurrentDictionary<ObjectKey, IReadOnlyList<V1Secret>> last = new();

    /// <summary>The view with what was read, or with why it could not be.</summary>
    public async Task<ClusterView> AddToAsync(ClusterView view, CancellationToken cancellation)
    {
        if (view.Spec.Tls is null) return view;
        var answer = await api.ListAsync<V1Secret>(view.Namespace, $"{Labels.Cluster}={view.Name}", next: null, cancellation);
        if (answer.Error is { } error) return view with { SecretsRefused = error.ToString() };
        var read = answer.Value!.Items.ToList();
        foreach (var name in GivenCertificates.Names(view.Spec))
        {
            var one = await api.GetAsync<V1Secret>(new ObjectKey(view.Namespace, name), cancellation);
            if (one.Error is { NotFound: false } refused) return view with { SecretsRefused = refused.ToString() };
            if (one.Value is { } secret && read.All(other => other.Metadata.Name != name)) read.Add(secret);
        }

        var known = Known(new ObjectKey(view.Namespace, view.Name), read);
        return await AddManagedAsync(
            view with { Secrets = [.. known.Where(IsOurs)], Given = known.Where(secret => !IsOurs(secret)).ToDictionary(secret => secret.Metadata.Name, StringComparer.Ordinal) }, cancellation);
    }

    public void Forget(ObjectKey key) => last.TryRemove(key, out _);

    async Task<ClusterView> AddManagedAsync(ClusterView view, CancellationToken cancellation)
    {
        if (view.Spec.WithTls().All(side => view.Spec.Issuer(side)!.CertManager is null)) return view;
        var answer = await api.ListAsync<ManagedCertificate>(view.Namespace, $"{Labels.ManagedByOperator},{Labels.Cluster}={view.Name}", next: null, cancellation);
        return answer.Error is { } error ? view with { ManagedRefused = Refused(error) } : view with { Managed = answer.Value!.Items };
    }

    static (string, string) Refused(ApiError error) => error.Status switch
    {
        HttpStatusCode.NotFound => ("CertManagerMissing", "this Kubernetes does not serve certificates.cert-manager.io/v1; install cert-manager, with its CustomResourceDefinitions"),
        HttpStatusCode.Forbidden => ("CertManagerForbidden", $"the operator may not make certificates of cert-manager; set the chart's value rbac.certManager to true: {error.Message}"),
        _ => ("CertManagerUnreadable", $"the Certificates cannot be read: {error}"),
    };

    List<V1Secret> Known(ObjectKey cluster, IEnumerable<V1Secret> read)
    {
        var before = last.GetValueOrDefault(cluster) ?? [];
        var known = read.Select(secret => before.FirstOrDefault(same => same.Metadata.Uid == secret.Metadata.Uid && same.Metadata.ResourceVersion == secret.Metadata.ResourceVersion) ?? secret).ToList();
        last[cluster] = known;
        return known;
    }

    static bool IsOurs(IKubernetesObject<V1ObjectMeta> item) =>
        item.Metadata.Labels is { } labels && labels.TryGetValue(Labels.ManagedBy, out var by) && by == Labels.Operator;
}
