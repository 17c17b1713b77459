using Store.Raft;
using Store.State;

namespace Store.Storage;

/// <summary>
/// Makes the data directory of one member of a new cluster from a snapshot, as `etcdutl snapshot restore` does. Every member of the cluster is made from the
/// same file with the same members: then their states are alike, and their logs begin behind the entries that name the members.
/// </summary>
public static class SnapshotRestore
{
    /// <summary>Throws <see cref="StorageException"/> with one clear line; what it had begun to write is removed then.</summary>
    /// <param name="read">The snapshot's pairs of a bucket in order; none when there is no such bucket.</param>
    /// <param name="dataDirectory">Must not be there, or be empty.</param>
    /// <param name="first">The entries that name the members, committed from the start, as a new cluster has them.</param>
    public static RestoredState Run(
        Func<string, IEnumerable<BackendPair>> read, string dataDirectory, string? walDirectory, MemberIdentity identity, PersistRequest first, RestoreOptions options)
    {
        var wasThere = RequireEmpty(dataDirectory, "data-dir");
        var walWasThere = walDirectory is not null && RequireEmpty(walDirectory, "wal-dir");
        try
        {
            return Fill(read, dataDirectory, walDirectory, identity, first, options);
        }
        catch (Exception e)
        {
            Remove(dataDirectory, keepFolder: wasThere);
            if (walDirectory is not null && Directory.Exists(walDirectory)) StateFolders.Remove(walDirectory);
            if (walWasThere) Disk.CreateFolder(walDirectory!);
            if (e is not BackendFormatException format) throw;
            throw new StorageException($"the snapshot cannot be restored: {format.Message}", format);
        }
    }

    /// <summary>Whether the directory holds this member already. What a restore has left there that was interrupted before its end is removed, since nobody has served it.</summary>
    /// <exception cref="StorageException">It holds another member's data.</exception>
    public static bool IsDone(string dataDirectory, MemberIdentity identity)
    {
        if (!Directory.Exists(dataDirectory)) return false;
        MemberIdentity? held;
        using (var data = DataDirectory.Open(dataDirectory)) held = data.Identity;
        if (held is null) Remove(dataDirectory, keepFolder: true);
        return held is { } member && (member == identity ? true : throw new StorageException($"{dataDirectory}: this holds the data of {member}, and {identity} was to be restored; give another --data-dir"));
    }

    static RestoredState Fill(Func<string, IEnumerable<BackendPair>> read, string dataDirectory, string? walDirectory, MemberIdentity identity, PersistRequest first, RestoreOptions options)
    {
        using var data = DataDirectory.Open(dataDirectory, walDirectory);
        var storage = data.OpenStorage(identity, new(), new());
        using var engine = storage.Engine;
        using var log = storage.Log;
        var restored = StateRestore.Run(read, options, engine);
        var state = StateMachine.Open(engine, new());
        state.Apply(first.Entries);
        engine.Flush();
        log.Persist([first with { Entries = [], Snapshot = new SnapshotMetadata(state.Applied, state.AppliedTerm, state.Config) }]);
        // Last: a directory without it has no owner, and is not taken for a member's.
        data.Begin(identity);
        return restored;
    }

    /// <summary>True when the folder is there.</summary>
    static bool RequireEmpty(string folder, string flag)
    {
        if (File.Exists(folder)) throw new StorageException($"{folder}: this is a file; give a --{flag} that is not there yet");
        if (!Directory.Exists(folder)) return false;
        // What a file system keeps at its root does not count: a data directory may be a mount point.
        var found = Disk.Try(folder, "cannot be read", () => Directory.EnumerateFileSystemEntries(folder).FirstOrDefault(entry => Path.GetFileName(entry) != "lost+found"));
        return found is null ? true : throw new StorageException($"{folder}: the folder of --{flag} is not empty (it holds {Path.GetFileName(found)}); give one that is not there yet");
    }

    static void Remove(string folder, bool keepFolder)
    {
        var member = Path.Combine(folder, "member");
        if (Directory.Exists(member)) StateFolders.Remove(member);
        if (!keepFolder && Directory.Exists(folder)) StateFolders.Remove(folder);
    }
}
