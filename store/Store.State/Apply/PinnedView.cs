using Store.Raft;

namespace Store.State;

/// <summary>
/// A view and the engine as of the same entry of the log, held for readers that take their time: streams, and snapshots of the whole state. Its rows stay
/// readable however far compaction goes. Dispose it soon: the engine keeps the space of what was deleted meanwhile.
/// </summary>
/// <remarks>
/// Why the snapshot holds every row of the view: both are of one entry. What compaction may delete of a view's rows it deletes after a later entry has asked
/// for it, and an entry and its effects are one batch of the engine.
/// </remarks>
public sealed class PinnedView : IDisposable
{
    readonly PublishedState published;
    readonly IEngineSnapshot snapshot;

    PinnedView(StateView view, PublishedState published, IEngineSnapshot snapshot, RangeReader reader, AppliedState applied)
    {
        View = view;
        this.published = published;
        this.snapshot = snapshot;
        Reader = reader with { Rows = new SnapshotRows(snapshot) };
        AppliedTerm = new(applied.Term);
    }

    public StateView View { get; }

    public Term AppliedTerm { get; }

    internal RangeReader Reader { get; }

    /// <summary>In order of their ids, as unsigned numbers; without their keys.</summary>
    internal IEnumerable<LeaseInfo> Leases => LeaseTable.Read(snapshot.Scan(Table.Meta, MetaKeys.Leases, MetaKeys.EndOf(MetaKeys.Leases)));

    /// <summary>Null when the writer has moved on between the two, which it does in the time of one batch: try again with the newest view.</summary>
    internal static PinnedView? TryPin(StateView view, PublishedState published, RangeReader reader)
    {
        var snapshot = published.Engine.Snapshot();
        var applied = snapshot.Get(Table.Meta, MetaKeys.Applied) is { } row ? AppliedState.Decode(row) : AppliedState.New;
        if (applied.Index == view.Applied.Value) return new(view, published, snapshot, reader, applied);
        snapshot.Dispose();
        return null;
    }

    /// <summary>
    /// CRC-32C of what a revision changed. Two histories that have a revision in common but not its content tell themselves apart by it; none for a revision without
    /// changes, as a raised one is.
    /// </summary>
    public uint MarkOf(Revision revision)
    {
        var crc = uint.MaxValue;
        foreach (var (key, row) in snapshot.Scan(Table.Revisions, Row.EngineKey(new(revision, 0)), Row.EngineKey(new(revision.Next, 0))))
        {
            foreach (var b in key) crc = System.Numerics.BitOperations.Crc32C(crc, b);
            foreach (var b in Row.KeyValue(Row.Checked(row)).Span) crc = System.Numerics.BitOperations.Crc32C(crc, b);
        }
        return ~crc;
    }

    /// <summary>CRC-32C over keys and values up to this view's revision, as etcd computes HashKV.</summary>
    public uint HashKv() => HashReader.Hash(end => snapshot.Scan(Table.Revisions, Array.Empty<byte>(), end), Reader, Reader.Current)!.Value.Hash;

    /// <summary>
    /// The changes behind a revision, in the order in which they were made. The newest are those in memory, as watchers read them: what a backup agent asks for every few
    /// seconds is mostly these, and rows copied out of the engine would have all requests wait for the collector sooner.
    /// </summary>
    internal IEnumerable<(RowId Id, ReadOnlyMemory<byte> Row)> Rows(Revision after)
    {
        var recent = published.Tail.Newest(after.Value, View.Revision.Value);
        Revision behind = new(View.Revision.Value + 1 - recent.Count);
        foreach (var (key, row) in snapshot.Scan(Table.Revisions, Row.EngineKey(new(after.Next, 0)), Row.EngineKey(new(behind, 0))))
            yield return (Row.ReadKey(key), Row.Checked(row));
        for (var i = recent.Count - 1; i >= 0; i--)
            for (TailChange? change = recent[i]; change is not null; change = change.Next)
                yield return (new(new(change.Main), change.Sub), change.Row);
    }

    public void Dispose() => snapshot.Dispose();
}

/// <summary>Rows as of an engine's snapshot. What a long reader misses is not noted for the cache: it would push out what others need.</summary>
sealed class SnapshotRows(IEngineSnapshot snapshot) : RowSource
{
    public override ReadOnlyMemory<byte>? Load(RowId id)
    {
        Span<byte> key = stackalloc byte[Row.KeyBytes];
        Row.WriteKey(key, id);
        return snapshot.Get(Table.Revisions, key) is { } row ? Row.Checked(row) : default(ReadOnlyMemory<byte>?);
    }
}
