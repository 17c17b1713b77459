using System.Text.Json.Serialization;

namespace Operator.Core;

[Cel("(has(self.tls) && has(self.tls.client)) == (has(oldSelf.tls) && has(oldSelf.tls.client))",
    "tls.client cannot be added or taken away: make another StoreCluster and move the data there with etcdctl snapshot or make-mirror")]
[Cel("(has(self.tls) && has(self.tls.peer)) == (has(oldSelf.tls) && has(oldSelf.tls.peer))",
    "tls.peer cannot be added or taken away: make another StoreCluster and move the data there with etcdctl snapshot or make-mirror")]
[Cel("has(self.bootstrap) == has(oldSelf.bootstrap) && (!has(self.bootstrap) || self.bootstrap == oldSelf.bootstrap)",
    "bootstrap cannot be changed: it says how the cluster begins, so make another StoreCluster")]
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

    [JsonPropertyName("bootstrap")]
    [Doc("How the cluster begins; empty when absent. It cannot be changed.")]
    public BootstrapSpec? Bootstrap { get; init; }

    [JsonPropertyName("replicas")]
    [Doc("Voting members: 1, 3, 5 or 7. An even number would tolerate no more failures than the odd one below it.")]
    [Default(3)]
    [Range(1, 7)]
    [OneOf(1, 3, 5, 7)]
    public int Replicas { get; init; } = 3;

    [JsonPropertyName("paused")]
    [Doc("Change nothing, whatever the spec says and whatever fails; status is kept up to date.")]
    [Default(false)]
    public bool Paused { get; init; }

    [JsonPropertyName("deletionPolicy")]
    [Doc("What becomes of the data when the StoreCluster is deleted: Retain keeps the volumes, Delete removes them. storage.retention.onDelete when absent.")]
    [OneOf(RetentionSpec.Retain, RetentionSpec.Delete)]
    public string? DeletionPolicy { get; init; }

    [JsonPropertyName("storage")]
    [Doc("The volume of each member.")]
    [Default("{}")]
    [Cel("has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)",
        "storage.storageClassName cannot be changed: the volumes exist already")]
    [Cel("quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0",
        "storage.size cannot shrink: volumes only ever grow")]
    public StorageSpec Storage { get; init; } = new();

    [JsonPropertyName("resources")]
    [Doc("CPU and memory of each member.")]
    public ResourcesSpec? Resources { get; init; }

    [JsonPropertyName("server")]
    [Doc("How the store itself is tuned. What is absent keeps the store's own default.")]
    public ServerSpec? Server { get; init; }

    [JsonPropertyName("auth")]
    [Doc("Who may do what. Users and roles beside root are made with etcdctl.")]
    public AuthSpec? Auth { get; init; }

    [JsonPropertyName("tls")]
    [Doc("Encryption and certificates. Everything is in clear when absent.")]
    public TlsSpec? Tls { get; init; }

    [JsonPropertyName("backup")]
    [Doc("Backups, taken by an agent in each member's pod. None when absent.")]
    public BackupSpec? Backup { get; init; }

    [JsonPropertyName("topology")]
    [Doc("How members are spread over zones and nodes.")]
    [Default("{}")]
    public TopologySpec Topology { get; init; } = new();

    [JsonPropertyName("scheduling")]
    [Doc("Where members may run.")]
    public SchedulingSpec? Scheduling { get; init; }

    [JsonPropertyName("disruption")]
    [Doc("What node drains may do.")]
    [Default("{}")]
    public DisruptionSpec Disruption { get; init; } = new();

    [JsonPropertyName("update")]
    [Doc("How members are restarted when their template changes.")]
    [Default("{}")]
    public UpdateSpec Update { get; init; } = new();

    [JsonPropertyName("healing")]
    [Doc("When a member that is gone is replaced by a new one.")]
    [Default("{}")]
    public HealingSpec Healing { get; init; } = new();

    [JsonPropertyName("services")]
    [Doc("The Services in front of the members.")]
    [Default("{}")]
    public ServicesSpec Services { get; init; } = new();

    [JsonPropertyName("monitoring")]
    [Doc("How Prometheus finds the members.")]
    [Default("{}")]
    public MonitoringSpec Monitoring { get; init; } = new();

    [JsonPropertyName("podTemplate")]
    [Doc("Additions to the members' pods.")]
    public PodTemplateSpec? PodTemplate { get; init; }

    [JsonIgnore]
    public bool WantsAuth => Auth is { Enabled: true };

    /// <summary>Whether the volumes go with the StoreCluster.</summary>
    [JsonIgnore]
    public bool DeletesData => (DeletionPolicy ?? Storage.Retention.OnDelete) == RetentionSpec.Delete;
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
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public required string Name { get; init; }
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
