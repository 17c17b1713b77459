using Store.Raft;
using Store.State;
using Store.Storage;

namespace Store.Server;

/// <summary>What the flags mean to each part.</summary>
static class NodeOptions
{
    public static ReplicaOptions Replica(ServerOptions options, NodeId self) => new()
    {
        Raft = new()
        {
            Id = self,
            ElectionTimeoutTicks = Math.Max(2, options.ElectionTimeoutMs / options.HeartbeatIntervalMs),
            HeartbeatTicks = 1,
        },
        TickMilliseconds = options.HeartbeatIntervalMs,
        State = State(options),
        LearnersMax = options.LearnersMax,
        StrictReconfigCheck = options.StrictReconfigCheck,
        CatchUpEntries = (ulong)Math.Max(0, options.SnapshotCatchUpEntries),
    };

    public static StateOptions State(ServerOptions options) => new()
    {
        QuotaBytes = options.QuotaBytes,
        TxnOperationsMax = options.TxnOperationsMax,
        LeaseTtlMinSeconds = (3 * options.ElectionTimeoutMs / 2 + 999) / 1000,
    };

    public static LoopOptions Loop(ServerOptions options) =>
        new(TimeSpan.FromMilliseconds(options.HeartbeatIntervalMs), options.RequestTimeout, options.RequestBytesMax);

    /// <summary>etcd's "backend commit" is what an apply waits for: here the engine's write. A flush runs beside it and holds nobody up.</summary>
    public static RocksOptions Rocks() => new() { Committed = duration => StoreMetrics.BackendCommitSeconds.Record(duration.TotalSeconds) };

    public static WalOptions Wal(ServerOptions options) => new()
    {
        Sync = !options.UnsafeNoSync,
        Synced = duration => StoreMetrics.WalFsyncSeconds.Record(duration.TotalSeconds),
        Written = (bytes, duration) =>
        {
            StoreMetrics.WalWriteBytes.Add(bytes);
            StoreMetrics.WalWriteSeconds.Record(duration.TotalSeconds);
        },
    };
}
