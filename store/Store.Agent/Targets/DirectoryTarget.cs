using Store.Storage;

namespace Store.Agent;

/// <summary>A folder, of a volume of its own or of a network file system. Objects are files, put in place by a rename.</summary>
public sealed class DirectoryTarget(string root) : IBackupTarget
{
    /// <summary>Of files that a crash left unfinished: objects that belong to nothing.</summary>
    const string Draft = ".tmp";
    const int ErrorFull = 28, ErrorQuota = 122;

    public string Location => root;

    public Task PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Run(() =>
    {
        var path = MakeFolder(name);
        try
        {
            Disk.WriteAtomically(path, content.Span);
            return true;
        }
        catch
        {
            // On a full disk what was begun would keep the rest of the space.
            File.Delete(path + Draft);
            throw;
        }
    });

    public Task<bool> PutNewAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Run(() =>
    {
        var path = MakeFolder(name);
        if (File.Exists(path)) return false;
        var draft = $"{path}.{Guid.NewGuid():N}{Draft}";
        try
        {
            Disk.WriteAtomically(draft, content.Span);
            return Disk.TryRenameNew(draft, path);
        }
        finally
        {
            File.Delete(draft);
            File.Delete(draft + Draft);
        }
    });

    public Task<byte[]?> GetAsync(string name, CancellationToken cancellationToken) => Run(() =>
    {
        try
        {
            return File.ReadAllBytes(PathOf(name));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    });

    public Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken) => Run<IReadOnlyList<StoredObject>>(() =>
    {
        RequireRoot();
        var folder = new DirectoryInfo(Path.Combine(root, Path.GetDirectoryName(prefix) ?? ""));
        if (!folder.Exists) return [];
        return
        [
            .. folder.EnumerateFiles("*", SearchOption.AllDirectories)
                .Select(file => (Name: Path.GetRelativePath(root, file.FullName), File: file))
                .Where(found => found.Name.StartsWith(prefix, StringComparison.Ordinal))
                .Select(found => new StoredObject(found.Name, found.File.Length, new(found.File.LastWriteTimeUtc))),
        ];
    });

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => Run(() =>
    {
        var path = PathOf(name);
        if (!File.Exists(path)) return false;
        File.Delete(path);
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.EnumerateFileSystemEntries(folder).Any()) TryRemove(folder);
        return true;
    });

    public void Dispose()
    {
    }

    string PathOf(string name) => Path.Combine(root, name);

    /// <summary>A missing root is a volume that is not mounted: nothing is to be written below it.</summary>
    void RequireRoot()
    {
        if (!Directory.Exists(root)) throw new BackupException(BackupFailure.Unreachable, $"{root}: the folder for backups is not there; make it, or mount its volume");
    }

    string MakeFolder(string name)
    {
        RequireRoot();
        var path = PathOf(name);
        var missing = new Stack<string>();
        for (var folder = Path.GetDirectoryName(path)!; !Directory.Exists(folder); folder = Path.GetDirectoryName(folder)!) missing.Push(folder);
        foreach (var folder in missing) Disk.CreateFolder(folder);
        return path;
    }

    /// <summary>Somebody else may just have put something into it.</summary>
    static void TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // It is in use again.
        }
    }

    Task<T> Run<T>(Func<T> operation) => Task.Run(() =>
    {
        try
        {
            return operation();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StorageException)
        {
            throw new BackupException(FailureOf(e is StorageException { InnerException: { } inner } ? inner : e), $"{root}: {e.Message}", e);
        }
    });

    static BackupFailure FailureOf(Exception e) => e switch
    {
        UnauthorizedAccessException => BackupFailure.Denied,
        _ when (e.HResult & 0xffff) is ErrorFull or ErrorQuota => BackupFailure.Full,
        _ => BackupFailure.Unreachable,
    };
}
