using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>Takes a StoreCluster that is there back to a state of its backups, once. A new one begins with a backup by spec.bootstrap.restore.</summary>
[Resource("storecluster.io", "v1alpha1", "StoreRestore", "storerestores", ShortNames = ["str"])]
[Doc("StoreRestore takes an existing StoreCluster back to what was backed up, in place and once, after it was confirmed.")]
[PrinterColumn("Cluster", "string", ".spec.cluster", Description = "The StoreCluster")]
[PrinterColumn("Phase", "string", ".status.phase", Description = "Pending, AwaitingConfirmation, SafetyBackup, Restoring, Joining, Succeeded or Failed")]
[PrinterColumn("Time", "string", ".spec.time", Description = "The wanted moment")]
[PrinterColumn("Epoch", "integer", ".status.epochAfter", Description = "The cluster's epoch that it begins")]
[PrinterColumn("Age", "date", ".metadata.creationTimestamp")]
[PrinterColumn("Message", "string", ".status.message", Description = "What is waited for, what to confirm, or what went wrong", Priority = 1)]
public sealed record StoreRestore : IKubernetesObject<V1ObjectMeta>
{
    public const string KindText = "StoreRestore";

    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = StoreCluster.ApiVersionText;

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = KindText;

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    [Doc("What is wanted. Nothing of it can be changed but confirm.")]
    [Cel("self.cluster == oldSelf.cluster && self.safetyBackup == oldSelf.safetyBackup"
        + " && has(self.backup) == has(oldSelf.backup) && (!has(self.backup) || self.backup == oldSelf.backup)"
        + " && has(self.from) == has(oldSelf.from) && (!has(self.from) || self.from == oldSelf.from)"
        + " && has(self.encryptionKeySecret) == has(oldSelf.encryptionKeySecret) && (!has(self.encryptionKeySecret) || self.encryptionKeySecret == oldSelf.encryptionKeySecret)"
        + " && has(self.clusterId) == has(oldSelf.clusterId) && (!has(self.clusterId) || self.clusterId == oldSelf.clusterId)"
        + " && has(self.time) == has(oldSelf.time) && (!has(self.time) || self.time == oldSelf.time)"
        + " && has(self.revision) == has(oldSelf.revision) && (!has(self.revision) || self.revision == oldSelf.revision)",
        "a StoreRestore cannot be changed but for confirm: make another one")]
    public required StoreRestoreSpec Spec { get; init; }

    [JsonPropertyName("status")]
    [Doc("What became of it.")]
    public StoreRestoreStatus? Status { get; init; }
}

[Cel("!has(self.backup) || !has(self.from)", "a restore is from a StoreBackup or from a location, and not from both")]
[Cel("!has(self.backup) || !has(self.clusterId) && !has(self.encryptionKeySecret)", "a restore from a StoreBackup has its clusterId and encryptionKeySecret from there; leave them out")]
[Cel("!has(self.encryptionKeySecret) || has(self.from)", "encryptionKeySecret goes with from; the cluster's own location has its key from spec.backup")]
[Cel("!has(self.time) || !has(self.revision)", "there are time and revision; give one of them, or neither for the latest")]
public sealed record StoreRestoreSpec
{
    [JsonPropertyName("cluster")]
    [Doc("Name of the StoreCluster, in the same namespace.")]
    [Pattern(Patterns.ClusterName, MaxLength = 40)]
    public required string Cluster { get; init; }

    [JsonPropertyName("backup")]
    [Doc("Name of a StoreBackup in the same namespace. What it holds is restored, unless time or revision ask for another state of that cluster. When neither this nor from is given: the backups that the StoreCluster itself has taken.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public string? Backup { get; init; }

    [JsonPropertyName("from")]
    [Doc("Where the backups are, when they are not the StoreCluster's own.")]
    public BackupTargetSpec? From { get; init; }

    [JsonPropertyName("encryptionKeySecret")]
    [Doc("The Secret, in the same namespace, with the key of the backups at from.")]
    public BackupKeyReference? EncryptionKeySecret { get; init; }

    [JsonPropertyName("clusterId")]
    [Doc("The store's id (hexadecimal, status.clusterId) of the cluster that was backed up. When absent, the StoreCluster's own as it is now; give the one before, status.restoration.formerClusterId, for a moment before an earlier StoreRestore.")]
    [Pattern(Patterns.ClusterId, MaxLength = 16)]
    public string? ClusterId { get; init; }

    [JsonPropertyName("time")]
    [Doc("The state of this moment, with its zone, such as 2026-11-27T20:34:00Z, and nothing that was written later. When neither this nor revision is given: the latest, or what the named StoreBackup holds.")]
    [Pattern(Patterns.Moment, MaxLength = 33)]
    public string? Time { get; init; }

    [JsonPropertyName("revision")]
    [Doc("The state of this revision.")]
    [Range(1, 9_000_000_000_000_000_000)]
    public long? Revision { get; init; }

    [JsonPropertyName("safetyBackup")]
    [Doc("Take one more full backup first, so that what is there now can be gone back to.")]
    [Default(true)]
    public bool SafetyBackup { get; init; } = true;

    [JsonPropertyName("confirm")]
    [Doc("CLUSTER@epoch=N, exactly as status.message asks for it. Nothing is done before. It names the epoch that is given up, so that it holds once.")]
    [Pattern("^[a-z]([-a-z0-9]*[a-z0-9])?@epoch=[0-9]{1,9}$", MaxLength = 56)]
    public string? Confirm { get; init; }
}

public sealed record StoreRestoreStatus
{
    public const string Pending = "Pending", AwaitingConfirmation = "AwaitingConfirmation", TakingSafetyBackup = "SafetyBackup", Restoring = "Restoring", Joining = "Joining",
        Succeeded = "Succeeded", Failed = "Failed";

    [JsonIgnore]
    public bool Ended => Phase is Succeeded or Failed;

    /// <summary>Confirmed, and not at its end.</summary>
    [JsonIgnore]
    public bool UnderWay => Phase is TakingSafetyBackup or Restoring or Joining;

    [JsonPropertyName("phase")]
    [Doc("Pending, AwaitingConfirmation, SafetyBackup, Restoring, Joining, Succeeded or Failed. The last two are final.")]
    public string? Phase { get; init; }

    [JsonPropertyName("message")]
    [Doc("What is waited for, what to confirm, or what went wrong and where the former state is.")]
    public string? Message { get; init; }

    [JsonPropertyName("source")]
    [Doc("What is restored, and from where.")]
    public RestoreSpec? Source { get; init; }

    [JsonPropertyName("clusterId")]
    [Doc("The store's id of the cluster that is given up.")]
    public string? ClusterId { get; init; }

    [JsonPropertyName("epochAfter")]
    [Doc("The epoch that the StoreCluster begins with it.")]
    public int? EpochAfter { get; init; }

    [JsonPropertyName("currentRevision")]
    [Doc("The newest revision of the cluster when it was planned, as far as the backups know. What was written after the wanted state is lost to it.")]
    public long? CurrentRevision { get; init; }

    [JsonPropertyName("plannedAt")]
    [Doc("When that was looked at; every 30 seconds until it is confirmed.")]
    public DateTime? PlannedAt { get; init; }

    [JsonPropertyName("safetyBackup")]
    [Doc("The full backup that was taken first.")]
    public StoreBackupStatus? SafetyBackup { get; init; }

    [JsonPropertyName("startedAt")]
    [Doc("When it was confirmed.")]
    public DateTime? StartedAt { get; init; }

    [JsonPropertyName("completedAt")]
    [Doc("When it was seen to have succeeded or failed.")]
    public DateTime? CompletedAt { get; init; }

    [JsonPropertyName("conditions")]
    [Doc("Complete: True when it has succeeded, False with the phase as reason until then or when it has failed.")]
    [ListMap("type")]
    public IReadOnlyList<V1Condition>? Conditions { get; init; }
}
