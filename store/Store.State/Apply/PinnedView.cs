namespace Store.State;

/// <summary>
/// A view whose rows stay readable however far compaction goes: for readers that take their time, such as streams and snapshots of the whole state.
/// Dispose it soon: the engine keeps the space of what was deleted meanwhile.
/// </summary>
/// <remarks>
/// Why the snapshot holds every row of the view: (1) the view is at hand; (2) the engine's snapshot is taken; (3) the newest view is still of the same
/// compaction. Rows are deleted only after a view of the compaction that took them was published, so none of these rows was gone at (2).
/// </remarks>
public sealed class PinnedView : IDisposable
{
    readonly IEngineSnapshot snapshot;

    internal PinnedView(StateView view, IEngineSnapshot snapshot, RangeReader reader)
    {
        View = view;
        this.snapshot = snapshot;
        Reader = reader with { Rows = new SnapshotRows(snapshot) };
    }

    public StateView View { get; }

    internal RangeReader Reader { get; }

    public void Dispose() => snapshot.Dispose();
}

/// <summary>Rows as of an engine's snapshot. What a long reader misses is not noted for the cache: it would push out what others need.</summary>
sealed class SnapshotRows(IEngineSnapshot snapshot) : RowSource
{
    public override byte[]? Load(RowId id)
    {
        Span<byte> key = stackalloc byte[Row.KeyBytes];
        Row.WriteKey(key, id);
        return snapshot.Get(Table.Revisions, key) is { } row ? Row.Checked(row) : null;
    }
}
