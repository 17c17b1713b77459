using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Store.Storage;

/// <summary>Durable file operations; every failure becomes a <see cref="StorageException"/> that names the file and the cause.</summary>
static class Disk
{
    /// <summary>Makes what was written to the file durable. A failure is final: the kernel may have dropped the pages, so trying again proves nothing.</summary>
    internal static void DataSync(SafeFileHandle file, string path)
    {
        while (LibC.DataSync(file) != 0)
        {
            if (Marshal.GetLastPInvokeError() == LibC.Interrupted) continue;
            throw Failed(path, "cannot be made durable (fdatasync)");
        }
    }

    /// <summary>Makes the names in a folder durable: after a create, a rename or a delete.</summary>
    internal static void SyncFolder(string folder) => SyncPath(folder, "its list of files cannot be made durable (fsync)");

    internal static void SyncFile(string path) => SyncPath(path, "cannot be made durable (fsync)");

    static void SyncPath(string path, string failure)
    {
        var descriptor = LibC.Open(path, LibC.OpenForReading);
        if (descriptor < 0) throw Failed(path, "cannot be opened");
        try
        {
            while (LibC.Sync(descriptor) != 0)
            {
                if (Marshal.GetLastPInvokeError() == LibC.Interrupted) continue;
                throw Failed(path, failure);
            }
        }
        finally
        {
            _ = LibC.Close(descriptor);
        }
    }

    /// <summary>Runs an operation on the path, with .NET's exceptions turned into ours.</summary>
    internal static T Try<T>(string path, string what, Func<T> operation)
    {
        try
        {
            return operation();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{path}: {what}: {e.Message}", e);
        }
    }

    internal static void Try(string path, string what, Action operation) =>
        Try(path, what, () =>
        {
            operation();
            return 0;
        });

    /// <summary>Puts the file in place as a whole: a crash leaves the old content or the new one.</summary>
    internal static void WriteAtomically(string path, ReadOnlySpan<byte> content)
    {
        var draft = path + ".tmp";
        var bytes = content.ToArray();
        Try(path, "cannot be written", () =>
        {
            using var file = File.OpenHandle(draft, FileMode.Create, FileAccess.Write);
            RandomAccess.Write(file, bytes, 0);
            DataSync(file, draft);
        });
        Rename(draft, path);
    }

    /// <summary>Renames within one folder, durably, over what is there.</summary>
    internal static void Rename(string from, string to)
    {
        Try(to, "cannot be put in place", () => File.Move(from, to, overwrite: true));
        SyncFolder(Path.GetDirectoryName(to)!);
    }

    /// <summary>Gives a file another name within its folder, durably, unless something has that name: of many who do so at the same moment one succeeds.</summary>
    /// <remarks>.NET's own move looks first and renames then, and what comes in between is overwritten. File systems without hard links (FAT, some of networks) get that move.</remarks>
    internal static bool TryRenameNew(string from, string to)
    {
        if (LibC.Link(from, to) != 0)
        {
            if (Marshal.GetLastPInvokeError() == LibC.AlreadyExists || File.Exists(to)) return false;
            Try(to, "cannot be put in place", () => File.Move(from, to, overwrite: false));
        }
        File.Delete(from);
        SyncFolder(Path.GetDirectoryName(to)!);
        return true;
    }

    /// <summary>Creates a folder that only its owner may enter, as etcd does.</summary>
    internal static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder)) return;
        Try(folder, "cannot be created", () => Directory.CreateDirectory(folder, OwnerOnly));
        if (Path.GetDirectoryName(Path.GetFullPath(folder)) is { } parent) SyncFolder(parent);
    }

    internal const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    static StorageException Failed(string path, string what) =>
        new($"{path}: {what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
}
