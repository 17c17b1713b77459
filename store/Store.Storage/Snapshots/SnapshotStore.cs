using Store.Raft;
using Store.State;

namespace Store.Storage;

/// <summary>A snapshot that has arrived whole and is durable, but not in use. Tell the core; <see cref="SnapshotStore.Install"/> it when the core accepts, else dispose.</summary>
public sealed class ReceivedSnapshot : IDisposable
{
    internal ReceivedSnapshot(string folder, SnapshotMetadata metadata)
    {
        Folder = folder;
        Metadata = metadata;
    }

    public SnapshotMetadata Metadata { get; }

    internal string Folder { get; }

    internal bool IsInstalled { get; set; }

    /// <summary>Removes it unless it was installed.</summary>
    public void Dispose()
    {
        if (!IsInstalled && Directory.Exists(Folder)) StateFolders.Remove(Folder);
    }
}

/// <summary>Snapshots of the whole state between members (design S14). Safe for several at a time.</summary>
public sealed class SnapshotStore
{
    readonly StateFolders folders;

    internal SnapshotStore(StateFolders folders) => this.folders = folders;

    /// <summary>
    /// Makes a checkpoint to send. Blocks for a flush; safe beside writers. What it stands for is read from the checkpoint itself, whatever was written meanwhile.
    /// </summary>
    /// <param name="describe">Reads index, term and config from the rows of the state.</param>
    public OutgoingSnapshot Create(RocksEngine engine, Func<IKeyValueEngine, SnapshotMetadata> describe)
    {
        var folder = folders.NewOutgoing();
        engine.Checkpoint(folder);
        try
        {
            SnapshotMetadata metadata;
            using (var copy = RocksEngine.Open(folder, new() { MemtableBytes = 1 << 20, BlockCacheBytes = 1 << 20 })) metadata = describe(copy);
            return new(folder, metadata);
        }
        catch
        {
            StateFolders.Remove(folder);
            throw;
        }
    }

    /// <summary>
    /// Writes the pieces of <see cref="OutgoingSnapshot.ReadPiecesAsync"/> to disk. Throws <see cref="StorageException"/> when they are not all there and
    /// intact; nothing is left behind then.
    /// </summary>
    public async Task<ReceivedSnapshot> ReceiveAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken)
    {
        var folder = folders.NewEngine();
        using var receiver = new SnapshotReceiver(folder);
        await foreach (var piece in pieces.WithCancellation(cancellationToken)) receiver.Take(piece.Span);
        if (receiver.Completed is not { } metadata)
            throw new StorageException("the received snapshot cannot be used: it ended too early; the leader sends it again");
        receiver.IsHandedOver = true;
        return new(folder, metadata);
    }

    /// <summary>
    /// Puts the received state in the place of the current one, in one durable step, and opens it. The old engine closes and its files go once its last
    /// reader has ended. The log may be restarted behind it before or after (<see cref="BootRule"/>).
    /// </summary>
    public RocksEngine Install(ReceivedSnapshot received, RocksEngine replaced, RocksOptions options)
    {
        Invariant.Require(!received.IsInstalled);
        folders.Use(received.Folder, new(received.Metadata.Index, received.Metadata.Term));
        received.IsInstalled = true;
        replaced.Discard();
        return RocksEngine.Open(received.Folder, options);
    }
}
