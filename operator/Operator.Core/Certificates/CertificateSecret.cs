using System.Globalization;
using System.Text;
using k8s.Models;

namespace Operator.Core;

/// <summary>A Secret with certificates in it. It goes with the StoreCluster.</summary>
public static class CertificateSecret
{
    public const string CertificateEntry = "tls.crt";
    public const string KeyEntry = "tls.key";
    public const string AuthorityEntry = "ca.crt";

    /// <param name="version">The resource version that it replaces; null when whatever is there gives way.</param>
    /// <param name="entries">Those that are null are left out.</param>
    public static V1Secret Build(StoreCluster cluster, string name, string type, string? version, Dictionary<string, string?> entries) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Type = type,
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = cluster.Metadata.NamespaceProperty,
            ResourceVersion = version,
            Labels = Labels.OfCluster(cluster.Metadata.Name),
            OwnerReferences = [Labels.Owner(cluster)],
        },
        Data = entries.Where(entry => entry.Value is not null).ToDictionary(entry => entry.Key, entry => Encoding.UTF8.GetBytes(entry.Value!)),
    };

    /// <summary>A certificate with its key and whom to trust, in the form that Ingress controllers, cert-manager and clients know.</summary>
    public static V1Secret OfLeaf(StoreCluster cluster, string name, string certificate, string key, string bundle, DateTime now)
    {
        var secret = Build(cluster, name, "kubernetes.io/tls", version: null, new() { [CertificateEntry] = certificate, [KeyEntry] = key, [AuthorityEntry] = bundle });
        secret.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Changed] = now.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) };
        return secret;
    }

    /// <summary>When the operator wrote it last; null when it does not say.</summary>
    public static DateTime? ChangedAt(V1Secret secret) =>
        secret.Metadata.Annotations is { } annotations && annotations.TryGetValue(Annotations.Changed, out var text)
        && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : null;
}
