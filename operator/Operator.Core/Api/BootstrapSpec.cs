using System.Text.Json.Serialization;

namespace Operator.Core;

/// <summary>How a cluster begins. What it begins with is there once it has, so it cannot be changed.</summary>
public sealed record BootstrapSpec
{
    [JsonPropertyName("restore")]
    [Doc("Begin with what was backed up. Empty when absent.")]
    public RestoreSpec? Restore { get; init; }
}

[Cel("has(self.backup) != has(self.from)", "a restore is from one of backup and from")]
[Cel("!has(self.backup) || !has(self.clusterId) && !has(self.encryptionKeySecret)", "a restore from a StoreBackup has its clusterId and encryptionKeySecret from there; leave them out, or write from instead of backup")]
[Cel("!has(self.time) || !has(self.revision)", "bootstrap.restore has time and revision; give one of them, or neither for the latest")]
public sealed record RestoreSpec
{
    [JsonPropertyName("backup")]
    [Doc("Name of a StoreBackup in the same namespace, which says where it is and what it is encrypted with, also when its StoreCluster is gone. What it holds is restored unless time or revision ask for another state of that cluster. What is not there or not ready yet is waited for.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public string? Backup { get; init; }

    [JsonPropertyName("from")]
    [Doc("Where the backups are, when no StoreBackup is named.")]
    public BackupTargetSpec? From { get; init; }

    [JsonPropertyName("encryptionKeySecret")]
    [Doc("The Secret, in the same namespace, with the key that they are encrypted with. For backups that are not encrypted it is absent.")]
    public BackupKeyReference? EncryptionKeySecret { get; init; }

    [JsonPropertyName("clusterId")]
    [Doc("The store's id (hexadecimal, status.clusterId) of the cluster that was backed up. When there are backups of several and it is absent, those of the one that was backed up last.")]
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
}
