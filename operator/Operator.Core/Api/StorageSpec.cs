using System.Text.Json.Serialization;

namespace Operator.Core;

public sealed record StorageSpec
{
    [JsonPropertyName("size")]
    [Doc("Size of each member's volume. It may grow, where the StorageClass allows it; it never shrinks.")]
    [Default("8Gi")]
    public Quantity Size { get; init; } = new("8Gi");

    [JsonPropertyName("storageClassName")]
    [Doc("StorageClass of the volumes; the cluster's default class when absent.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public string? StorageClassName { get; init; }

    [JsonPropertyName("retention")]
    [Doc("What becomes of volumes that are no longer used.")]
    [Default("{}")]
    public RetentionSpec Retention { get; init; } = new();
}

public sealed record RetentionSpec
{
    public const string Retain = "Retain";
    public const string Delete = "Delete";

    [JsonPropertyName("onScaleIn")]
    [Doc("The volume of a member that was removed from the cluster. It can never be used by another member again.")]
    [Default(Delete)]
    [OneOf(Retain, Delete)]
    public string OnScaleIn { get; init; } = Delete;

    [JsonPropertyName("onDelete")]
    [Doc("The volumes of all members when the StoreCluster is deleted.")]
    [Default(Retain)]
    [OneOf(Retain, Delete)]
    public string OnDelete { get; init; } = Retain;
}
