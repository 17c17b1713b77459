namespace Store.Agent;

/// <summary>Everything that `store agent` was told.</summary>
public sealed record AgentOptions
{
    public required MemberOptions Member { get; init; }

    public required LocationOptions Location { get; init; }

    public string? EncryptionKeyFile { get; init; }

    /// <summary>For copies and for what is read back, up to four times the size of the store while a drill is held; what a crash left in it is removed at start.</summary>
    public required string ScratchFolder { get; init; }

    public BackupSchedule Schedule { get; init; } = BackupSchedule.Default;

    public RetentionPolicy Retention { get; init; } = RetentionPolicy.Default;

    /// <summary>Zero for none.</summary>
    public TimeSpan DrillInterval { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Bytes a second that a full backup, or a merge of deltas, reads, stores and verifies at most; 0 for as many as there can be.</summary>
    public long FullRateLimit { get; init; } = 64 << 20;

    /// <summary>How old an object must be that belongs to no backup, before it is removed: longer than any backup takes.</summary>
    public TimeSpan GarbageGrace { get; init; } = TimeSpan.FromHours(6);

    /// <summary>For metrics and health.</summary>
    public required Uri ListenUrl { get; init; }

    /// <summary>For requests over mutual TLS; null for none, and then they are only taken in clear, from members in clear.</summary>
    public Uri? ControlUrl { get; init; }
}
