namespace Store.Agent;

/// <param name="Modified">By the clock of where it is stored.</param>
public readonly record struct StoredObject(string Name, long Bytes, DateTimeOffset Modified);

/// <summary>
/// Where backups are kept: objects with names like paths, written whole. Failures are <see cref="BackupException"/>s. An operation that failed may have been done
/// all the same.
/// </summary>
public interface IBackupTarget : IDisposable
{
    /// <summary>For people.</summary>
    string Location { get; }

    /// <summary>Durable when it returns.</summary>
    Task PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>False, and nothing is written, when there is such an object already.</summary>
    Task<bool> PutNewAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Null when there is no such object.</summary>
    Task<byte[]?> GetAsync(string name, CancellationToken cancellationToken);

    /// <summary>In no particular order.</summary>
    Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Nothing happens when there is no such object.</summary>
    Task DeleteAsync(string name, CancellationToken cancellationToken);
}
