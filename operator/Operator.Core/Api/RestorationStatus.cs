using System.Text.Json.Serialization;

namespace Operator.Core;

/// <summary>How a StoreCluster came to its present epoch: by which StoreRestore, and what the former epoch left behind.</summary>
public sealed record RestorationStatus
{
    [JsonPropertyName("name")]
    [Doc("Name of the StoreRestore.")]
    public required string Name { get; init; }

    [JsonPropertyName("uid")]
    [Doc("Its uid: the same one never begins twice.")]
    public required string Uid { get; init; }

    [JsonPropertyName("formerClusterId")]
    [Doc("The store's id of the cluster that was given up, under which its backups are.")]
    public string? FormerClusterId { get; init; }

    [JsonPropertyName("aboveRevision")]
    [Doc("The highest revision that the former epoch was seen to give out. The present one began far above.")]
    public long AboveRevision { get; init; }

    [JsonPropertyName("retiredThrough")]
    [Doc("Members with numbers up to this one were of former epochs. They are stopped before the first member of the new one starts.")]
    public int RetiredThrough { get; init; }

    [JsonPropertyName("retired")]
    [Doc("Those whose volumes are kept until the new epoch has formed, and then treated as spec.storage.retention.onScaleIn says.")]
    public IReadOnlyList<string>? Retired { get; init; }

    [JsonPropertyName("startedAt")]
    [Doc("When it began. It is written here before its first effect.")]
    public DateTime? StartedAt { get; init; }
}
