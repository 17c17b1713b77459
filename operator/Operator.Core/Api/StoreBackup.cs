using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>One full backup, taken now. It is kept and removed at the location as those that the agents take by themselves are: deleting a StoreBackup removes nothing there.</summary>
[Resource("storecluster.io", "v1alpha1", "StoreBackup", "storebackups", ShortNames = ["stb"])]
[Doc("StoreBackup has one full backup of a StoreCluster taken, now and once.")]
[PrinterColumn("Cluster", "string", ".spec.cluster", Description = "The StoreCluster")]
[PrinterColumn("Phase", "string", ".status.phase", Description = "Pending, Running, Succeeded or Failed")]
[PrinterColumn("Revision", "integer", ".status.revision", Description = "The revision that it holds")]
[PrinterColumn("Bytes", "integer", ".status.storedBytes", Description = "What is stored of it")]
[PrinterColumn("Age", "date", ".metadata.creationTimestamp")]
[PrinterColumn("Message", "string", ".status.message", Description = "What is waited for, or what went wrong", Priority = 1)]
public sealed record StoreBackup : IKubernetesObject<V1ObjectMeta>
{
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = StoreCluster.ApiVersionText;

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = "StoreBackup";

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    [Doc("What is wanted. It cannot be changed.")]
    [Cel("self == oldSelf", "a StoreBackup cannot be changed: make another one")]
    public required StoreBackupSpec Spec { get; init; }

    [JsonPropertyName("status")]
    [Doc("What became of it.")]
    public StoreBackupStatus? Status { get; init; }
}

public sealed record StoreBackupSpec
{
    [JsonPropertyName("cluster")]
    [Doc("Name of the StoreCluster, in the same namespace. It has to have spec.backup, which says where backups go.")]
    [Pattern(Patterns.ClusterName, MaxLength = 40)]
    public required string Cluster { get; init; }

    [JsonPropertyName("timeoutSeconds")]
    [Doc("After so many seconds it has failed. What an agent has begun it still ends.")]
    [Default(3600)]
    [Range(60, 604800)]
    public int TimeoutSeconds { get; init; } = 3600;
}

public sealed record StoreBackupStatus
{
    public const string Pending = "Pending", Running = "Running", Succeeded = "Succeeded", Failed = "Failed";

    [JsonIgnore]
    public bool Ended => Phase is Succeeded or Failed;

    [JsonPropertyName("phase")]
    [Doc("Pending, Running, Succeeded or Failed. The last two are final.")]
    public string? Phase { get; init; }

    [JsonPropertyName("message")]
    [Doc("What is waited for, or what went wrong.")]
    public string? Message { get; init; }

    [JsonPropertyName("cluster")]
    [Doc("The StoreCluster that it is of, as it was when it began.")]
    public string? Cluster { get; init; }

    [JsonPropertyName("clusterId")]
    [Doc("The store's id of that cluster, for spec.bootstrap.restore.clusterId.")]
    public string? ClusterId { get; init; }

    [JsonPropertyName("source")]
    [Doc("Where backups of that cluster went when it began, and what they are encrypted with.")]
    public BackupSource? Source { get; init; }

    [JsonPropertyName("after")]
    [Doc("The newest full backup when it began; the next one is this.")]
    public string? After { get; init; }

    [JsonPropertyName("startedAt")]
    [Doc("When it began. It is written here before the first request.")]
    public DateTime? StartedAt { get; init; }

    [JsonPropertyName("completedAt")]
    [Doc("When it was seen to have succeeded or failed.")]
    public DateTime? CompletedAt { get; init; }

    [JsonPropertyName("location")]
    [Doc("Where it is.")]
    public string? Location { get; init; }

    [JsonPropertyName("id")]
    [Doc("Its name there.")]
    public string? Id { get; init; }

    [JsonPropertyName("revision")]
    [Doc("The revision that it holds.")]
    public long? Revision { get; init; }

    [JsonPropertyName("time")]
    [Doc("The moment that it holds.")]
    public DateTime? Time { get; init; }

    [JsonPropertyName("bytes")]
    [Doc("Bytes of its content.")]
    public long? Bytes { get; init; }

    [JsonPropertyName("storedBytes")]
    [Doc("Bytes that are stored of it, compressed.")]
    public long? StoredBytes { get; init; }
}

/// <summary>All that is needed to find a backup again when the StoreCluster that it is of is gone.</summary>
public sealed record BackupSource
{
    [JsonPropertyName("target")]
    [Doc("Where backups are kept.")]
    public required BackupTargetSpec Target { get; init; }

    [JsonPropertyName("encryptionKeySecret")]
    [Doc("The Secret, in the same namespace, with the key that they are encrypted with; absent when they are not.")]
    public BackupKeyReference? EncryptionKeySecret { get; init; }

    internal static BackupSource Of(BackupSpec backup) => new() { Target = backup.Target, EncryptionKeySecret = backup.EncryptionKeySecret };
}
