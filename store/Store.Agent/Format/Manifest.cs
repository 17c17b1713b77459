using System.Collections.Immutable;

namespace Store.Agent;

public enum BackupKind
{
    /// <summary>The whole state of one moment, a snapshot in etcd's format.</summary>
    Full,

    /// <summary>In the same format, without the rows that another backup ends with.</summary>
    Delta,
}

/// <summary>A revision, and a time by which it was the newest: everything acknowledged before the time of taking is in it.</summary>
public readonly record struct RecoveryPoint(long Revision, DateTimeOffset Time);

/// <param name="PlainBytes">Of the content in it.</param>
/// <param name="StoredBytes">Of the object.</param>
/// <param name="Sha256">Of the object, in hexadecimal.</param>
public sealed record Part(int PlainBytes, int StoredBytes, string Sha256);

/// <summary>
/// What a backup is. It is written last, when everything that it names was read back and found right, and never changed: a backup without one does not exist.
/// </summary>
public sealed record Manifest
{
    public const int KnownFormat = 1;

    public required int Format { get; init; }

    /// <summary>When it was begun, and chance: "20261127T203400Z-1f2e3d4c".</summary>
    public required string Id { get; init; }

    public required BackupKind Kind { get; init; }

    /// <summary>In hexadecimal, as etcd prints them.</summary>
    public required string ClusterId { get; init; }

    public required string MemberId { get; init; }

    /// <summary>
    /// The id of the full backup that its history began with. A cluster that was put back to a snapshot goes on with another history, in which the same revisions
    /// hold something else; backups of two never make one state.
    /// </summary>
    public required string History { get; init; }

    /// <summary>The rows begin behind this revision; 0 for a full one.</summary>
    public required long From { get; init; }

    /// <summary>The revision of the state at its moment.</summary>
    public required long To { get; init; }

    /// <summary>Behind it every change is there, in a full one; -1 for none.</summary>
    public required long Compacted { get; init; }

    /// <summary>Orders moments of one revision: leases and users come and go without changing it.</summary>
    public required ulong AppliedIndex { get; init; }

    /// <summary>CRC-32C of what revision <see cref="To"/> changed. A delta is only taken from a state that has the same there.</summary>
    public required uint Mark { get; init; }

    /// <summary>As etcd's HashKV tells it at <see cref="To"/>; null when it was not asked for.</summary>
    public uint? KvHash { get; init; }

    /// <summary>Rising; the last is its own moment. More than one where deltas were merged.</summary>
    public required ImmutableArray<RecoveryPoint> Points { get; init; }

    /// <summary>How often it was merged: 0 as taken.</summary>
    public int Level { get; init; }

    /// <summary>Of the whole content, which ends with its own SHA-256.</summary>
    public required long PlainBytes { get; init; }

    /// <summary>Null when it is not encrypted.</summary>
    public string? KeyId { get; init; }

    public required ImmutableArray<Part> Parts { get; init; }

    /// <summary>Of the program that wrote it.</summary>
    public required string Version { get; init; }

    public DateTimeOffset Time => Points[^1].Time;

    public long StoredBytes => Parts.Sum(part => (long)part.StoredBytes);

    public bool IsFull => Kind == BackupKind.Full;
}
