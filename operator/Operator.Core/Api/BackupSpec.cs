using System.Text.Json.Serialization;

namespace Operator.Core;

[Cel("duration(self.rpo) >= duration('1m')", "backup.rpo must be at least 1m: what changes without a write is stored every 30 s")]
[Cel("!has(self.deltaInterval) || duration(self.rpo) >= duration(self.deltaInterval) + duration(self.deltaInterval)",
    "backup.rpo must be at least twice deltaInterval, or each late delta would break it")]
[Cel("!has(self.deltaInterval) || !has(self.fullInterval) || duration(self.fullInterval) > duration(self.deltaInterval)",
    "backup.fullInterval must be longer than deltaInterval")]
public sealed record BackupSpec
{
    public const string DefaultRpo = "5m";

    [JsonPropertyName("target")]
    [Doc("Where backups are kept. Clusters may share one: each has a folder of its own there.")]
    public required BackupTargetSpec Target { get; init; }

    [JsonPropertyName("encryptionKeySecret")]
    [Doc("The Secret, in the same namespace, with the key that backups are encrypted with: 32 bytes, or these in hexadecimal or base64. Without that key nothing can be restored, so keep it elsewhere, too. Not encrypted when absent.")]
    public BackupKeyReference? EncryptionKeySecret { get; init; }

    [JsonPropertyName("fullInterval")]
    [Doc("From one full backup to the next, such as 6h, which it is when absent.")]
    [Pattern(Patterns.Duration, MaxLength = 10)]
    public string? FullInterval { get; init; }

    [JsonPropertyName("deltaInterval")]
    [Doc("How far backups may lag behind the writes between full ones, such as 2s, which it is when absent.")]
    [Pattern(Patterns.Duration, MaxLength = 10)]
    public string? DeltaInterval { get; init; }

    [JsonPropertyName("rpo")]
    [Doc("How old the newest verified recoverable moment may be. BackupReady is False beyond it.")]
    [Default(DefaultRpo)]
    [Pattern(Patterns.Duration, MaxLength = 10)]
    public string Rpo { get; init; } = DefaultRpo;

    [JsonPropertyName("retention")]
    [Doc("Which full backups are kept. What is absent keeps the agent's own default.")]
    public BackupRetentionSpec? Retention { get; init; }

    [JsonPropertyName("drill")]
    [Doc("Restoring the newest backup for practice.")]
    public BackupDrillSpec? Drill { get; init; }

    [JsonPropertyName("resources")]
    [Doc("CPU and memory of the agent in each member's pod. When absent, it requests a tenth of the CPU that the member does.")]
    public ResourcesSpec? Resources { get; init; }

    [JsonPropertyName("scratchSize")]
    [Doc("Most that the agent may have on the node's disk for unfinished backups and drills, up to four times the size of the store; not limited when absent.")]
    public Quantity? ScratchSize { get; init; }
}

public sealed record BackupRetentionSpec
{
    [JsonPropertyName("hourly")]
    [Doc("Of so many hours the newest full backup, and every revision from the oldest of them on; 24 when absent.")]
    [Range(0, 100000)]
    public int? Hourly { get; init; }

    [JsonPropertyName("daily")]
    [Doc("Of so many days the newest full backup; 7 when absent.")]
    [Range(0, 100000)]
    public int? Daily { get; init; }

    [JsonPropertyName("weekly")]
    [Doc("Of so many weeks the newest full backup; 5 when absent.")]
    [Range(0, 100000)]
    public int? Weekly { get; init; }

    [JsonPropertyName("minimum")]
    [Doc("So many full backups are kept however old they are; 2 when absent.")]
    [Range(1, 100000)]
    public int? Minimum { get; init; }
}

public sealed record BackupDrillSpec
{
    [JsonPropertyName("enabled")]
    [Doc("Whether the newest backup is restored from time to time into a scratch folder, opened and compared with the member.")]
    [Default(true)]
    public bool Enabled { get; init; } = true;

    [JsonPropertyName("interval")]
    [Doc("How often, such as 168h, which it is when absent.")]
    [Pattern(Patterns.Duration, MaxLength = 10)]
    public string? Interval { get; init; }
}

/// <summary>A <see cref="SecretKeyReference"/> but for the default, which a schema has by type.</summary>
public sealed record BackupKeyReference
{
    [JsonPropertyName("name")]
    [Doc("Name of a Secret in the same namespace.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public required string Name { get; init; }

    [JsonPropertyName("key")]
    [Doc("Key of its data.")]
    [Default("key")]
    [Pattern(Patterns.DataKey, MaxLength = 253)]
    public string Key { get; init; } = "key";
}
