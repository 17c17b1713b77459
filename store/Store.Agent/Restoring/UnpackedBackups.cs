using Store.State;
using Store.Storage;

namespace Store.Agent;

/// <summary>The content of a chain of backups, unpacked and opened, as the backend of one revision. Dispose it, and the files are gone.</summary>
public sealed class UnpackedBackups : IDisposable
{
    readonly string folder;
    readonly List<SnapshotArchive> archives = [];

    UnpackedBackups(string folder, RecoveryPlan plan)
    {
        this.folder = folder;
        Plan = plan;
    }

    public RecoveryPlan Plan { get; }

    /// <summary>Reads the archives: not after they were disposed of.</summary>
    public BackendChain Backend => new([.. archives.Zip(Plan.Chain, (archive, backup) => new ChainLink(archive.Read, new(backup.To)))], new(Plan.Until));

    /// <param name="scratch">Takes the content unpacked, in a folder of its own.</param>
    public static async Task<UnpackedBackups> OpenAsync(RecoveryPlan plan, BackupReader reader, string scratch, CancellationToken cancellationToken)
    {
        var unpacked = new UnpackedBackups(Path.Combine(scratch, $"restore-{Guid.NewGuid():N}"), plan);
        try
        {
            Directory.CreateDirectory(unpacked.folder);
            foreach (var backup in plan.Chain) unpacked.archives.Add(await unpacked.UnpackAsync(backup, reader, cancellationToken));
            return unpacked;
        }
        catch
        {
            unpacked.Dispose();
            throw;
        }
    }

    async Task<SnapshotArchive> UnpackAsync(Manifest backup, BackupReader reader, CancellationToken cancellationToken)
    {
        try
        {
            var path = Path.Combine(folder, backup.Id + ".db");
            await reader.ReadAsync(backup, path, cancellationToken);
            return Open(backup, path);
        }
        catch (BackupException e) when (e.Failure == BackupFailure.Damaged)
        {
            throw new BackupException(e.Failure, e.Message, e) { Backup = backup };
        }
    }

    static SnapshotArchive Open(Manifest backup, string path)
    {
        try
        {
            return SnapshotArchive.Open(path, HashCheck.Required);
        }
        catch (StorageException e)
        {
            throw new BackupException(BackupFailure.Damaged, $"backup {backup.Id} does not open: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        foreach (var archive in archives) archive.Dispose();
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
