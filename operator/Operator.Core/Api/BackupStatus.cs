using System.Text.Json.Serialization;

namespace Operator.Core;

/// <summary>What the agents found at the location when they looked last. The conditions judge it.</summary>
public sealed record BackupStatus
{
    [JsonPropertyName("location")]
    [Doc("Where backups are kept.")]
    public string? Location { get; init; }

    [JsonPropertyName("recoverableFrom")]
    [Doc("The oldest full backup.")]
    public DateTime? RecoverableFrom { get; init; }

    [JsonPropertyName("recoverableUntil")]
    [Doc("Everything that was acknowledged before can be restored. By itself it is written when it has moved by half of spec.backup.rpo; the agents' metrics have it to the second.")]
    public DateTime? RecoverableUntil { get; init; }

    [JsonPropertyName("recoverableRevision")]
    [Doc("The revision that goes with it.")]
    public long? RecoverableRevision { get; init; }

    [JsonPropertyName("fulls")]
    [Doc("Full backups that are there.")]
    public int? Fulls { get; init; }

    [JsonPropertyName("lastFull")]
    [Doc("The newest full backup.")]
    public FullBackupStatus? LastFull { get; init; }

    [JsonPropertyName("lastDrill")]
    [Doc("The last time that a backup was restored for practice.")]
    public DrillStatus? LastDrill { get; init; }

    [JsonPropertyName("lastPassedDrill")]
    [Doc("When a drill last passed.")]
    public DateTime? LastPassedDrill { get; init; }
}

public sealed record FullBackupStatus
{
    [JsonPropertyName("id")]
    [Doc("Its name at the location.")]
    public required string Id { get; init; }

    [JsonPropertyName("revision")]
    [Doc("The revision that it holds.")]
    public long Revision { get; init; }

    [JsonPropertyName("time")]
    [Doc("The moment that it holds.")]
    public DateTime Time { get; init; }

    [JsonPropertyName("bytes")]
    [Doc("Bytes of its content.")]
    public long Bytes { get; init; }

    [JsonPropertyName("storedBytes")]
    [Doc("Bytes that are stored of it, compressed.")]
    public long StoredBytes { get; init; }
}

public sealed record DrillStatus
{
    [JsonPropertyName("time")]
    [Doc("When it was.")]
    public DateTime Time { get; init; }

    [JsonPropertyName("passed")]
    [Doc("Whether the backup was restored, opened, and found to be what the member had.")]
    public bool Passed { get; init; }

    [JsonPropertyName("revision")]
    [Doc("The revision that was restored.")]
    public long Revision { get; init; }

    [JsonPropertyName("seconds")]
    [Doc("How long it took.")]
    public long Seconds { get; init; }

    [JsonPropertyName("message")]
    [Doc("What was wrong; absent when nothing was.")]
    public string? Message { get; init; }
}
