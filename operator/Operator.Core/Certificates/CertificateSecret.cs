using System.Globalization;
using k8s.Models;

namespace Operator.Core;

/// <summary>A Secret with certificates in it.</summary>
public static class CertificateSecret
{
    public const string CertificateEntry = "tls.crt";
    public const string KeyEntry = "tls.key";
    public const string AuthorityEntry = "ca.crt";

    /// <summary>A certificate with its key and whom to trust, in the form that Ingress controllers, cert-manager and clients know.</summary>
    public static V1Secret OfLeaf(StoreCluster cluster, string name, string certificate, string key, string bundle, DateTime now)
    {
        var secret = OwnedSecret.Build(cluster, name, "kubernetes.io/tls", version: null, new() { [CertificateEntry] = certificate, [KeyEntry] = key, [AuthorityEntry] = bundle });
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
