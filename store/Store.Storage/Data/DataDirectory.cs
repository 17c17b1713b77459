using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Store.Raft;

namespace Store.Storage;

/// <summary>Whose data it is.</summary>
public readonly record struct MemberIdentity(ulong ClusterId, NodeId Member)
{
    public override string ToString() => $"member {Member} of cluster {ClusterId:x}";
}

/// <summary>Log and state, open.</summary>
/// <param name="Content">What the log held.</param>
/// <param name="Installed">The snapshot that the state came from, for <see cref="BootRule"/>.</param>
public sealed record OpenedStorage(WriteAheadLog Log, WalContent Content, RocksEngine Engine, InstalledSnapshot? Installed);

/// <summary>
/// A member's folder, held by this process alone.
/// <code>
/// DATA-DIR/                 mode 0700
///   member/
///     lock                  held (flock) as long as the process lives
///     identity              cluster, member, format version; written once, when the member has begun
///     wal/                  the Raft log
///     state/                the engine's folders, see <see cref="StateFolders"/>
/// </code>
/// A start:
/// <code>
/// using var data = DataDirectory.Open(path);                     // refuses what is locked, foreign, newer
/// var storage = data.OpenStorage(identity, walOptions, rocksOptions);
/// var state = StateMachine.Open(storage.Engine, ...);
/// if (data.Identity is null) { storage.Log.Persist(the initial config, as a start behind 0); data.Begin(identity); }
/// var boot = BootRule.Decide(storage.Content, state.Applied, state.AppliedTerm, state.Config, storage.Installed);
/// if (boot.Repair is { } repair) storage.Log.Persist([repair]);
/// </code>
/// </summary>
public sealed class DataDirectory : IDisposable
{
    const ulong Format = 1;
    static readonly string[] MemberFiles = ["lock", "identity", "identity.tmp", "wal", "state"];

    readonly SafeFileHandle heldLock;
    readonly List<string> notices = [];
    StateFolders? folders;

    DataDirectory(string path, string? walFolder, SafeFileHandle heldLock)
    {
        Path = path;
        WalFolder = walFolder is null ? System.IO.Path.Combine(Member, "wal") : System.IO.Path.GetFullPath(walFolder);
        this.heldLock = heldLock;
    }

    public string Path { get; }

    /// <summary>Null until the member has begun (<see cref="Begin"/>): a fresh directory.</summary>
    public MemberIdentity? Identity { get; private set; }

    /// <summary>What the operator should know but does not keep the member from starting; one line each.</summary>
    public IReadOnlyList<string> Notices => notices;

    string Member => MemberOf(Path);

    string IdentityFile => System.IO.Path.Combine(Member, "identity");

    string WalFolder { get; }

    string StateFolder => System.IO.Path.Combine(Member, "state");

    static string MemberOf(string path) => System.IO.Path.Combine(path, "member");

    /// <summary>Creates the folder if needed, takes the lock and reads who it belongs to. Throws <see cref="StorageException"/> with one clear line.</summary>
    /// <param name="walFolder">Where the log is, on a disk of its own; null: in member/wal.</param>
    public static DataDirectory Open(string path, string? walFolder = null)
    {
        path = System.IO.Path.GetFullPath(path);
        Disk.CreateFolder(path);
        RequireOurs(path);
        Disk.CreateFolder(MemberOf(path));
        var directory = new DataDirectory(path, walFolder, TakeLock(path));
        try
        {
            directory.Inspect();
            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    static void RequireOurs(string path)
    {
        var member = MemberOf(path);
        if (File.Exists(System.IO.Path.Combine(member, "snap", "db")))
            throw new StorageException($"{path}: this is a data directory of etcd; give another --data-dir, and move the data with a snapshot");
        if (!Directory.Exists(member)) return;
        var foreign = Directory.EnumerateFileSystemEntries(member).FirstOrDefault(entry => !MemberFiles.Contains(System.IO.Path.GetFileName(entry)));
        if (foreign is not null) throw new StorageException($"{foreign}: this does not belong into a data directory; move it away, or give another --data-dir");
    }

    static SafeFileHandle TakeLock(string path)
    {
        var file = System.IO.Path.Combine(MemberOf(path), "lock");
        try
        {
            // FileShare.None takes an exclusive flock, which ends with the process, however it ends.
            return File.OpenHandle(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StorageException($"{path}: the data directory cannot be written: {e.Message}; give its files to the user that runs this member", e);
        }
        catch (IOException e) when (File.Exists(file) && e.Message.Contains("another process", StringComparison.Ordinal))
        {
            throw new StorageException($"{path}: another process uses this data directory; stop it, or give another --data-dir", e);
        }
        catch (IOException e)
        {
            throw new StorageException($"{path}: the data directory cannot be written: {e.Message}", e);
        }
    }

    void Inspect()
    {
        var mode = File.GetUnixFileMode(Path);
        if ((mode & ~Disk.OwnerOnly) != UnixFileMode.None)
            notices.Add($"{Path}: others than the owner have access (mode {Convert.ToString((int)mode, 8)}); 0700 is recommended");
        foreach (var entry in Directory.EnumerateFileSystemEntries(Path))
        {
            if (System.IO.Path.GetFileName(entry) is not ("member" or "lost+found")) notices.Add($"{entry}: this does not belong into a data directory");
        }
        if (CheckedText.Read(IdentityFile) is not { } lines) return;
        lines.RequireFormat(Format);
        Identity = new(lines.Number("cluster", hexadecimal: true), new(lines.Number("member", hexadecimal: true)));
    }

    /// <summary>
    /// Opens log and state, finishes an install that a crash interrupted and removes what nobody needs. Throws when they belong to somebody else,
    /// cannot be trusted, or are not all there.
    /// </summary>
    public OpenedStorage OpenStorage(MemberIdentity identity, WalOptions walOptions, RocksOptions rocksOptions)
    {
        RequireSame(identity);
        var (log, content) = WriteAheadLog.Open(WalFolder, walOptions with { Identity = new(identity.ClusterId, identity.Member.Value) });
        try
        {
            if (Identity is null && (content.Entries.Count > 0 || content.HardState != default || content.Start.Index != LogIndex.Zero))
                throw new StorageException($"{IdentityFile}: the file is missing, although the member has begun; restore it from a copy, or replace this member");
            folders = StateFolders.Open(StateFolder);
            if (folders.FindComplete(content.Start.Index, content.Start.Term) is { } received)
                folders.Use(received, new(content.Start.Index, content.Start.Term));
            folders.RemoveUnused();
            if (content.Notice is { } notice) notices.Add(notice);
            return new(log, content, RocksEngine.Open(folders.Current, rocksOptions), folders.Installed);
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    void RequireSame(MemberIdentity identity)
    {
        if (Identity is not { } owner) return;
        if (owner != identity)
            throw new StorageException($"{Path}: the data belongs to {owner}, this is {identity}; give the data directory of this member, or an empty one");
        if (!Directory.Exists(WalFolder) || Segment.List(WalFolder).Count == 0)
            throw new StorageException($"{WalFolder}: the log is missing, although the member has begun; give the --wal-dir of its first start, restore it from a copy, or replace this member");
    }

    /// <summary>The member has begun: what its log promises counts from now on. Called once for a fresh directory, when the initial config is in the log.</summary>
    public void Begin(MemberIdentity identity)
    {
        Invariant.Require(Identity is null);
        CheckedText.Write(
            IdentityFile, ("format", $"{Format}"), ("cluster", identity.ClusterId.ToString("x", CultureInfo.InvariantCulture)), ("member", $"{identity.Member}"));
        Identity = identity;
    }

    /// <summary>Sends, receives and installs snapshots of the state. After <see cref="OpenStorage"/>.</summary>
    public SnapshotStore Snapshots => new(folders ?? throw new InvalidOperationException("the storage is not open"));

    public void Dispose() => heldLock.Dispose();
}
