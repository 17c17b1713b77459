using Store.Protocol.Etcdserverpb;
using Store.Raft;

namespace Store.State;

/// <summary>The state at one moment: immutable, readable from any number of places at once.</summary>
public sealed partial class StateView
{
    readonly PublishedState published;
    readonly RangeReader reader;

    internal StateView(PublishedState published, IndexNode root, AppliedState applied, ClusterView cluster, AuthView auth)
    {
        this.published = published;
        reader = new(root, applied.Revision, applied.Compacted, published.Rows);
        Revision = new(applied.Revision);
        Compacted = new(applied.Compacted);
        Applied = new(applied.Index);
        LiveBytes = applied.Space.Live;
        StateHash = applied.Hash;
        Cluster = cluster;
        Auth = auth;
    }

    public Revision Revision { get; }

    /// <summary>Reads below this revision are refused. -1 before the first compaction, as etcd reports it.</summary>
    public Revision Compacted { get; }

    public LogIndex Applied { get; }

    /// <summary>Bytes that the quota counts: keys, values and what they cost, live and not yet compacted.</summary>
    public long LiveBytes { get; }

    /// <summary>Hash over everything that was ever applied up to <see cref="Applied"/>; members that differ at the same index have diverged (design S13).</summary>
    public ulong StateHash { get; }

    public ClusterView Cluster { get; }

    public AuthView Auth { get; }

    public EventLog Events => published.Events;

    /// <summary>Keys that are not deleted.</summary>
    public long KeyCount => reader.Root.Live;

    /// <summary>
    /// Answers a Range that was already checked for a key; encoded rows are not decoded. Errors: Compacted, FutureRevision, InvalidSortOption. When
    /// compaction overtakes a read of the newest revision, the answer is that of a later view.
    /// </summary>
    public RangeResult Range(RangeRequest request)
    {
        for (var view = this; ;)
        {
            if (view.reader.Range(request) is { } result) return result;
            view = view.Overtaking();
        }
    }

    /// <summary>
    /// Answers a transaction whose taken path only reads, without the log; null when it would write and so must be proposed. The request was checked
    /// by <see cref="RequestValidation.CheckTxn"/>.
    /// </summary>
    public TxnResult? Txn(TxnRequest request)
    {
        for (var view = this; ;)
        {
            if (TxnReader.TryRead(view.reader, request, out var result)) return result;
            view = view.Overtaking();
        }
    }

    /// <summary>The encoded KeyValue of one change, null when compaction has removed it.</summary>
    public ReadOnlyMemory<byte>? KeyValue(RowId id) => published.Rows.Load(id) is { } row ? Row.KeyValue(row) : default(ReadOnlyMemory<byte>?);

    /// <summary>CRC-32C over keys and values up to the revision, as etcd computes HashKV; zero means now. Errors: Compacted, FutureRevision.</summary>
    public HashResult HashKv(Revision revision)
    {
        for (var view = this; ;)
        {
            if (HashReader.Hash(end => published.Engine.Scan(Table.Revisions, Array.Empty<byte>(), end), view.reader, revision.Value) is { } result) return result;
            view = view.Overtaking();
        }
    }

    /// <summary>This view or a later one, with its rows held for a long reader.</summary>
    public PinnedView Pin()
    {
        for (var view = this; ; view = published.Latest)
            if (PinnedView.TryPin(view, published, view.reader) is { } pinned) return pinned;
    }

    /// <summary>The later view whose compaction deleted what this one still wanted to read.</summary>
    StateView Overtaking()
    {
        var latest = published.Latest;
        Invariant.Require(latest.Compacted > Compacted);
        return latest;
    }
}

/// <summary>The rows are encoded mvccpb.KeyValue messages as they go on the wire.</summary>
public sealed record RangeResult(StoreError Error, Revision Revision, IReadOnlyList<ReadOnlyMemory<byte>> KeyValues, bool More, long Count);

public readonly record struct HashResult(StoreError Error, uint Hash, Revision Compacted, Revision HashRevision, Revision Current);

/// <param name="Response">With header.revision set; null on error.</param>
public sealed record TxnResult(StoreError Error, TxnResponse? Response);
