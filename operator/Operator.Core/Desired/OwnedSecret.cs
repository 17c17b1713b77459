using System.Text;
using k8s.Models;

namespace Operator.Core;

/// <summary>A Secret of the operator's making, with entries of text. It goes with the StoreCluster.</summary>
public static class OwnedSecret
{
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

    /// <summary>An entry as text; null when it, or the Secret, is missing or empty.</summary>
    public static string? Text(V1Secret? secret, string entry) =>
        secret?.Data is { } data && data.TryGetValue(entry, out var bytes) && bytes is { Length: > 0 } ? Encoding.UTF8.GetString(bytes) : null;
}
