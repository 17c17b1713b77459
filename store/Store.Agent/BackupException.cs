namespace Store.Agent;

/// <summary>What became of a request to where backups are kept, or of a backup.</summary>
public enum BackupFailure
{
    /// <summary>It may work the next time: the network, a busy or broken endpoint.</summary>
    Unreachable,

    /// <summary>Credentials or permissions are wrong.</summary>
    Denied,

    /// <summary>There is no space, or a quota was used up.</summary>
    Full,

    /// <summary>Something that was stored is missing or is not what was stored.</summary>
    Damaged,

    /// <summary>What was asked for is not among the backups.</summary>
    NotRecoverable,

    /// <summary>Settings that do not fit: a key, a location, a flag.</summary>
    Misconfigured,

    /// <summary>The member did not give what a backup needs.</summary>
    Member,
}

/// <summary>The message is one line that says what is wrong and what to do.</summary>
public sealed class BackupException(BackupFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public BackupFailure Failure { get; } = failure;

    /// <summary>The one whose content is damaged; null where it is another failure, or nobody knows of which.</summary>
    public Manifest? Backup { get; init; }
}
