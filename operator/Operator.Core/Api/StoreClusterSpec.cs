using System.Text.Json.Serialization;

namespace Operator.Core;

public sealed record StoreClusterSpec
{
    [JsonPropertyName("version")]
    [Doc("Version of the store, which is the image's tag unless image.tag says otherwise. The operator's default when absent.")]
    [Pattern("^[A-Za-z0-9_][A-Za-z0-9_.-]*$", MaxLength = 128)]
    public string? Version { get; init; }

    [JsonPropertyName("image")]
    [Doc("Where the store's image comes from.")]
    [Default("{}")]
    public ImageSpec Image { get; init; } = new();

    [JsonPropertyName("replicas")]
    [Doc("Voting members: 1, 3, 5 or 7. An even number would tolerate no more failures than the odd one below it.")]
    [Default(3)]
    [Range(1, 7)]
    [OneOf(1, 3, 5, 7)]
    public int Replicas { get; init; } = 3;

    [JsonPropertyName("storage")]
    [Doc("The volume of each member.")]
    [Default("{}")]
    [Cel("has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)",
        "storage.storageClassName cannot be changed: the volumes exist already")]
    [Cel("self.size == oldSelf.size",
        "storage.size cannot be changed: volumes are not resized by this version of the operator")]
    public StorageSpec Storage { get; init; } = new();

    [JsonPropertyName("resources")]
    [Doc("CPU and memory of each member.")]
    public ResourcesSpec? Resources { get; init; }
}

public sealed record ImageSpec
{
    [JsonPropertyName("repository")]
    [Doc("Repository, such as registry.example/store. The operator's default image when absent.")]
    [Pattern("^[a-z0-9]+([._:/-]+[a-z0-9]+)*$", MaxLength = 255)]
    public string? Repository { get; init; }

    [JsonPropertyName("tag")]
    [Doc("Tag; spec.version when absent.")]
    [Pattern("^[A-Za-z0-9_][A-Za-z0-9_.-]*$", MaxLength = 128)]
    public string? Tag { get; init; }

    [JsonPropertyName("digest")]
    [Doc("Digest, such as sha256:...; it decides over any tag.")]
    [Pattern("^sha256:[0-9a-f]{64}$", MaxLength = 71)]
    public string? Digest { get; init; }

    [JsonPropertyName("pullPolicy")]
    [Doc("When the kubelet pulls the image.")]
    [Default("IfNotPresent")]
    [OneOf("Always", "IfNotPresent", "Never")]
    public string PullPolicy { get; init; } = "IfNotPresent";

    [JsonPropertyName("pullSecrets")]
    [Doc("Secrets, in the same namespace, for pulling the image.")]
    [ListMap("name")]
    public IReadOnlyList<LocalReference>? PullSecrets { get; init; }
}

public sealed record LocalReference
{
    [JsonPropertyName("name")]
    [Doc("Name of an object in the same namespace.")]
    [Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", MaxLength = 253)]
    public required string Name { get; init; }
}

public sealed record StorageSpec
{
    [JsonPropertyName("size")]
    [Doc("Size of each member's volume.")]
    [Default("8Gi")]
    public Quantity Size { get; init; } = new("8Gi");

    [JsonPropertyName("storageClassName")]
    [Doc("StorageClass of the volumes; the cluster's default class when absent.")]
    [Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", MaxLength = 253)]
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

public sealed record ResourcesSpec
{
    [JsonPropertyName("requests")]
    [Doc("What the scheduler sets aside for each member, such as cpu: 500m and memory: 1Gi.")]
    public IReadOnlyDictionary<string, Quantity>? Requests { get; init; }

    [JsonPropertyName("limits")]
    [Doc("What a member may use at most.")]
    public IReadOnlyDictionary<string, Quantity>? Limits { get; init; }
}
