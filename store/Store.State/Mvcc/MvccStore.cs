using Store.Raft;

namespace Store.State;

/// <summary>
/// Keys and values with their history, as the single writer sees them. Changes of one command share a main revision, which is taken by the first of
/// them; <see cref="End"/> closes the command. Rows go to the batch of the running apply.
/// </summary>
sealed class MvccStore
{
    readonly PublishedState published;
    readonly AppliedBatch batch;
    readonly KeyIndex index = new();
    readonly ValueCache cache;
    readonly PendingRows rows;
    TailChange? firstChange;
    TailChange? lastChange;

    public MvccStore(PublishedState published, AppliedBatch batch, long cacheBytes)
    {
        this.published = published;
        this.batch = batch;
        cache = new(cacheBytes);
        rows = new(published.Rows);
    }

    /// <summary>The newest revision, without the changes of the open command.</summary>
    public long Revision { get; private set; } = AppliedState.New.Revision;

    public long Compacted { get; private set; } = AppliedState.New.Compacted;

    public SpaceUsage Space { get; private set; }

    /// <summary>Changes in the open command so far.</summary>
    public int Changes { get; private set; }

    public long CachedBytes => cache.Bytes;

    /// <summary>What the open command sees, its own changes included.</summary>
    public RangeReader Reader => new(index.Root, Changes > 0 ? Revision + 1 : Revision, Compacted, rows);

    public KeyEntry? Find(ReadOnlySpan<byte> key) => index.Find(key) is { Tombstone: false } entry ? entry : null;

    /// <summary>The encoded row of a live key.</summary>
    public ReadOnlyMemory<byte> RowOf(KeyEntry entry) => rows.Load(entry)!.Value;

    /// <param name="previous">The live entry that this put replaces, null when there is none.</param>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long lease, out KeyEntry? previous)
    {
        var old = index.Find(key);
        previous = old is { Tombstone: false } ? old : null;
        var id = NextId();
        var fields = new KeyValueFields
        {
            Key = key,
            Create = previous?.Create ?? id.Main.Value,
            Mod = id.Main.Value,
            Version = (previous?.Version ?? 0) + 1,
            Value = value,
            Lease = lease,
        };
        var cost = SpaceUsage.CostOf(key.Length, value.Length);
        var row = cache.Reserve(Row.Size(fields));
        Row.Write(row.Span, fields, tombstone: false, previous?.Id ?? RowId.None, Space.SupersededBytes);
        var entry = Succeed(old, old?.Key ?? key.ToArray(), id, fields, cost, tombstone: false);
        Space = Space with { PutBytes = Space.PutBytes + cost, SupersededBytes = Space.SupersededBytes + (previous?.Cost ?? 0) };
        Record(id, row, entry, previous);
        cache.Add(entry, row);
    }

    /// <summary>Deletes a live key.</summary>
    public void Delete(KeyEntry old)
    {
        var id = NextId();
        var fields = new KeyValueFields { Key = old.Key, Mod = id.Main.Value };
        var row = Row.Encode(fields, tombstone: true, old.Id, Space.SupersededBytes);
        var entry = Succeed(old, old.Key, id, default, cost: 0, tombstone: true);
        Space = Space with { SupersededBytes = Space.SupersededBytes + old.Cost };
        Record(id, row, entry, old);
    }

    /// <summary>Closes the command: its changes become the next revision and are handed to watchers with the next view.</summary>
    public void End()
    {
        if (firstChange is null) return;
        Revision++;
        published.Tail.Add(firstChange);
        (firstChange, lastChange, Changes) = (null, null, 0);
    }

    /// <summary>The batch is in the engine.</summary>
    public void Written() => rows.Clear();

    /// <summary>A root for readers; the writer copies from here on.</summary>
    public IndexNode Freeze() => index.Freeze();

    /// <summary>Takes up what readers missed. Cheap when there is nothing.</summary>
    public void RefreshCache() => published.Missed.MoveTo(cache);

    /// <summary>Logical compaction: at once and the same on all members. Errors: Compacted, FutureRevision.</summary>
    public StoreError Compact(long revision)
    {
        if (revision <= Compacted) return StoreError.Compacted;
        if (revision > Revision) return StoreError.FutureRevision;
        Space = Space with { CompactedBytes = SupersededUpTo(revision) };
        Compacted = revision;
        return StoreError.None;
    }

    /// <summary>Forgets in memory what compaction at the revision deletes of the key.</summary>
    public void Trim(ReadOnlySpan<byte> key, long revision)
    {
        if (index.Find(key) is not { } entry) return;
        var left = entry.Compact(revision);
        if (ReferenceEquals(left, entry)) return;
        if (left is null)
        {
            index.Remove(entry.Key);
            cache.Drop(entry);
            return;
        }
        ValueCache.Move(entry, left);
        index.Set(left);
    }

    /// <summary>Starts from what the engine holds: rows come in the order in which they were written.</summary>
    public void Restore(in AppliedState state, Action<KeyEntry> live)
    {
        (Revision, Compacted, Space) = (state.Revision, state.Compacted, state.Space);
        foreach (var (key, value) in published.Engine.Scan(Table.Revisions, Array.Empty<byte>(), to: null))
            Restore(Row.ReadKey(key), Row.Checked(value));
        var all = new RangeReader(index.Root, Revision, Compacted, rows).LiveEntries(new([], [0]));
        foreach (var entry in all) live(entry);
    }

    void Restore(RowId id, byte[] row)
    {
        Invariant.Require(id.Main.Value <= Revision);
        var fields = Row.Fields(row);
        var old = index.Find(fields.Key);
        var tombstone = Row.IsTombstone(row);
        var cost = tombstone ? 0 : SpaceUsage.CostOf(fields.Key.Length, fields.Value.Length);
        var entry = Succeed(old, old?.Key ?? fields.Key.ToArray(), id, fields, cost, tombstone);
        if (old is not null) cache.Drop(old);
        index.Set(entry);
        if (!tombstone) cache.AddCopy(entry, row);
    }

    long SupersededUpTo(long revision)
    {
        if (revision == Revision) return Space.SupersededBytes;
        // No change has revision 1: the first one is 2.
        return revision < AppliedState.New.Revision ? 0 : Row.SupersededBytes(rows.Load(new RowId(new(revision + 1), 0))!.Value.Span);
    }

    RowId NextId() => new(new(Revision + 1), Changes);

    /// <summary>
    /// The entry that follows. A tombstone below the compacted revision may be deleted physically here and not yet there: it is history nowhere.
    /// </summary>
    KeyEntry Succeed(KeyEntry? old, byte[] key, RowId id, in KeyValueFields fields, int cost, bool tombstone)
    {
        var hasHistory = old is not null && !(old.Tombstone && old.Main < Compacted);
        return new(key, id, fields.Create, fields.Version, fields.Lease, cost, tombstone,
            hasHistory ? old!.PushOlder() : null, hasHistory ? old!.OlderCount + 1 : 0);
    }

    void Record(RowId id, ReadOnlyMemory<byte> row, KeyEntry entry, KeyEntry? previous)
    {
        batch.Put(Table.Revisions, Row.EngineKey(id), row);
        rows.Add(id, row);
        // What the same transaction has put is nobody's previous value.
        Note(new(id, row, previous?.Main == id.Main.Value ? null : previous?.Row));
        if (previous is not null) cache.Drop(previous);
        index.Set(entry);
    }

    void Note(TailChange change)
    {
        if (lastChange is null) firstChange = change;
        else lastChange.Next = change;
        lastChange = change;
        Changes++;
    }
}
