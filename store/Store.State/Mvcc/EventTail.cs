namespace Store.State;

/// <summary>
/// The newest events, a ring by revision bounded by bytes. The writer fills it; any number of readers look at it without a lock: they take the array,
/// look at the slot of the revision, and check that the revision is what they find there.
/// </summary>
/// <remarks>
/// Why a reader cannot be fooled: (1) it takes the array; (2) the writer grows the ring into a new array, or lets the slot's events go, or puts a later
/// revision there; (3) the reader finds its own revision, whose events never change, or something else, and then goes to the engine.
/// </remarks>
sealed class EventTail(long bytesMax)
{
    const int SlotsMax = 1 << 17;

    /// <summary>What the objects around the bytes of one event cost.</summary>
    const int EventOverhead = 160;

    TailChange?[] slots = new TailChange?[1024];
    long first;
    long last;
    long bytes;

    /// <param name="changes">The first change of the revision, the others behind it.</param>
    public void Add(TailChange changes)
    {
        var revision = changes.Main;
        if (last == 0) first = revision;
        last = revision;
        if (last - first >= slots.Length) MakeRoom();
        slots[revision & (slots.Length - 1)] = changes;
        bytes += SizeOf(changes);
        while (bytes > bytesMax && first < last) Forget();
    }

    /// <summary>The events of the revision when they are still here.</summary>
    public RevisionEvents? Find(long revision) => At(revision)?.Events;

    public bool Has(long revision) => At(revision) is not null;

    /// <summary>All of [from, to], or null when part of it is not here (any more).</summary>
    public RevisionEvents[]? Find(long from, long to)
    {
        if (!Has(from)) return null;
        var found = new RevisionEvents[to - from + 1];
        for (var revision = from; revision <= to; revision++)
        {
            if (Find(revision) is not { } events) return null;
            found[revision - from] = events;
        }
        return found;
    }

    /// <summary>The changes of revisions (after, to] from the newest down, each the first of its revision, as far back as they are here without a gap.</summary>
    public List<TailChange> Newest(long after, long to)
    {
        var found = new List<TailChange>();
        for (var revision = to; revision > after && At(revision) is { } changes; revision--) found.Add(changes);
        return found;
    }

    TailChange? At(long revision)
    {
        var ring = slots;
        var changes = ring[revision & (ring.Length - 1)];
        return changes?.Main == revision ? changes : null;
    }

    void MakeRoom()
    {
        if (slots.Length == SlotsMax)
        {
            Forget();
            return;
        }
        var larger = new TailChange?[slots.Length * 2];
        for (var revision = first; revision < last; revision++)
            larger[revision & (larger.Length - 1)] = slots[revision & (slots.Length - 1)];
        slots = larger;
    }

    void Forget()
    {
        ref var slot = ref slots[first++ & (slots.Length - 1)];
        bytes -= SizeOf(slot!);
        slot = null;
    }

    static long SizeOf(TailChange changes)
    {
        long size = 0;
        for (TailChange? change = changes; change is not null; change = change.Next) size += EventOverhead + change.Row.Length + (change.Previous?.Length ?? 0);
        return size;
    }
}

/// <summary>
/// A change as the writer leaves it for watchers: references to the rows that are there anyway. On a member that nobody watches no more is ever made of it; what the collector
/// has to carry from one generation to the next counts.
/// </summary>
sealed class TailChange(RowId id, ReadOnlyMemory<byte> row, ReadOnlyMemory<byte>? previous)
{
    RevisionEvents? events;

    public long Main { get; } = id.Main.Value;

    public int Sub { get; } = id.Sub;

    public ReadOnlyMemory<byte> Row => row;

    /// <summary>The superseded row, if it was at hand.</summary>
    public ReadOnlyMemory<byte>? Previous => previous;

    /// <summary>The next change of the same revision; set before the revision is published.</summary>
    public TailChange? Next { get; set; }

    /// <summary>Of the revision that begins with this change: made when first asked for. Two readers at once make the same twice, and either will do.</summary>
    public RevisionEvents Events => events ??= Make();

    RevisionEvents Make()
    {
        var all = new List<StoredEvent>(1);
        for (var change = this; change is not null; change = change.Next) all.Add(StoredEvent.Of(new(new(change.Main), change.Sub), change.Row, change.Previous));
        return new(new(Main), all);
    }
}
