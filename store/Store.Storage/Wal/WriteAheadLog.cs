using Store.Raft;

namespace Store.Storage;

public sealed record WalOptions
{
    public int SegmentBytes { get; init; } = 64 << 20;
    /// <summary>False only for `--unsafe-no-fsync`.</summary>
    public bool Sync { get; init; } = true;
}

/// <summary>What the log held when it was opened.</summary>
/// <param name="Start">The point that the log starts behind.</param>
/// <param name="Notice">A torn tail that was cut, with file and offset; null when the log ended cleanly.</param>
public sealed record WalContent(HardState HardState, SnapshotMetadata Start, IReadOnlyList<Entry> Entries, string? Notice);

/// <summary>The Raft log on disk (design S4). One caller at a time; every method blocks.</summary>
public sealed class WriteAheadLog : IDisposable
{
    /// <summary>Opens or creates the log in the folder. Throws <see cref="StorageException"/> that names file and offset when it cannot be trusted.</summary>
    public static (WriteAheadLog Log, WalContent Content) Open(string folder, WalOptions options) => throw new NotImplementedException();

    /// <summary>Writes what the requests ask for, in order, and makes it durable with one sync. On return all of it is on disk.</summary>
    public void Persist(IReadOnlyList<PersistRequest> requests) => throw new NotImplementedException();

    /// <summary>Whole segments that only hold entries up to the index may go. Called with an index that the engine has made durable.</summary>
    public void Cut(LogIndex upTo) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
