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

    RevisionEvents?[] slots = new RevisionEvents?[1024];
    long first;
    long last;
    long bytes;

    public void Add(RevisionEvents events)
    {
        var revision = events.Revision.Value;
        if (last == 0) first = revision;
        last = revision;
        if (last - first >= slots.Length) MakeRoom();
        slots[revision & (slots.Length - 1)] = events;
        bytes += SizeOf(events);
        while (bytes > bytesMax && first < last) Forget();
    }

    /// <summary>The events of the revision when they are still here.</summary>
    public RevisionEvents? Find(long revision)
    {
        var ring = slots;
        var events = ring[revision & (ring.Length - 1)];
        return events is not null && events.Revision.Value == revision ? events : null;
    }

    /// <summary>All of [from, to], or null when part of it is not here (any more).</summary>
    public RevisionEvents[]? Find(long from, long to)
    {
        if (Find(from) is null) return null;
        var found = new RevisionEvents[to - from + 1];
        for (var revision = from; revision <= to; revision++)
        {
            if (Find(revision) is not { } events) return null;
            found[revision - from] = events;
        }
        return found;
    }

    void MakeRoom()
    {
        if (slots.Length == SlotsMax)
        {
            Forget();
            return;
        }
        var larger = new RevisionEvents?[slots.Length * 2];
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

    static long SizeOf(RevisionEvents events)
    {
        long size = 0;
        foreach (var change in events.Events) size += EventOverhead + change.KeyValue.Length + (change.Previous?.Length ?? 0);
        return size;
    }
}
