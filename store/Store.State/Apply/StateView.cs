using Store.Protocol.Etcdserverpb;

namespace Store.State;

/// <summary>The state at one moment: immutable, readable from any number of places at once.</summary>
public sealed partial class StateView
{
    public Revision Revision => throw new NotImplementedException();

    public Revision Compacted => throw new NotImplementedException();

    public Store.Raft.LogIndex Applied => throw new NotImplementedException();

    /// <summary>Bytes that the quota counts: keys, values and what they cost, live and not yet compacted.</summary>
    public long LiveBytes => throw new NotImplementedException();

    public ClusterView Cluster => throw new NotImplementedException();

    public EventLog Events => throw new NotImplementedException();

    /// <summary>Answers a Range that was already checked for a key; encoded rows are not decoded. Errors: Compacted, FutureRevision, InvalidSortOption.</summary>
    public RangeResult Range(RangeRequest request) => throw new NotImplementedException();

    /// <summary>CRC-32C over keys and values up to the revision, as etcd computes HashKV; zero means now. Errors: Compacted, FutureRevision.</summary>
    public HashResult HashKv(Revision revision) => throw new NotImplementedException();
}

/// <summary>The rows are encoded mvccpb.KeyValue messages as they go on the wire.</summary>
public sealed record RangeResult(StoreError Error, Revision Revision, IReadOnlyList<ReadOnlyMemory<byte>> KeyValues, bool More, long Count);

public readonly record struct HashResult(StoreError Error, uint Hash, Revision Compacted, Revision HashRevision, Revision Current);
