namespace Store.Raft;

/// <summary>
/// The log in memory: a ring of entries behind a starting point (the last snapshot or compaction), whose term is still known.
/// Appending and forgetting cost nothing per entry kept; sizes are kept as running sums, so that a batch of a given size is found by halving.
/// </summary>
sealed class RaftLog
{
    const int CapacityMin = 256;

    Entry[] entries = new Entry[CapacityMin];
    /// <summary>For each slot the bytes of all entries up to and including it, counted from the node's start.</summary>
    long[] bytesThrough = new long[CapacityMin];
    int head;
    int count;
    long bytesThroughStart;
    Entry[] lastSlice = [];

    public RaftLog(SnapshotMetadata start, IReadOnlyList<Entry> entries)
    {
        StartIndex = start.Index;
        StartTerm = start.Term;
        Append(entries, 0);
    }

    /// <summary>The index before the first entry.</summary>
    public LogIndex StartIndex { get; private set; }

    public Term StartTerm { get; private set; }

    public LogIndex FirstIndex => StartIndex.Next;

    public LogIndex LastIndex => StartIndex + (ulong)count;

    public Term LastTerm => count == 0 ? StartTerm : entries[Slot(count - 1)].Term;

    public Entry this[LogIndex index]
    {
        get
        {
            Invariant.Require(index > StartIndex && index <= LastIndex);
            return entries[SlotOf(index)];
        }
    }

    /// <summary>Null where the log has nothing: before its starting point or behind its end.</summary>
    public Term? TermAt(LogIndex index)
    {
        if (index == StartIndex) return StartTerm;
        return index > StartIndex && index <= LastIndex ? entries[SlotOf(index)].Term : null;
    }

    /// <summary>The bytes of the entries behind <paramref name="after"/> up to and including <paramref name="through"/>.</summary>
    public long BytesBetween(LogIndex after, LogIndex through) => through > after ? BytesThrough(through) - BytesThrough(after) : 0;

    /// <summary>Raft §5.4.1: the later last term wins, then the longer log.</summary>
    public bool IsUpToDate(LogIndex lastIndex, Term lastTerm) =>
        lastTerm > LastTerm || (lastTerm == LastTerm && lastIndex >= LastIndex);

    public void Append(Entry entry)
    {
        Invariant.Require(entry.Index == LastIndex.Next && entry.Term >= LastTerm);
        if (count == entries.Length) Resize(entries.Length * 2);
        var through = BytesThrough(LastIndex) + entry.SizeBytes;
        var slot = Slot(count++);
        entries[slot] = entry;
        bytesThrough[slot] = through;
    }

    public void Append(IReadOnlyList<Entry> entries, int offset)
    {
        for (var i = offset; i < entries.Count; i++) Append(entries[i]);
    }

    /// <summary>Drops everything from <paramref name="from"/> on.</summary>
    public void Truncate(LogIndex from)
    {
        Invariant.Require(from > StartIndex);
        while (LastIndex >= from) entries[Slot(--count)] = null!;
        lastSlice = [];
    }

    /// <summary>Forgets everything up to and including <paramref name="upTo"/>, but for its term.</summary>
    public void Compact(LogIndex upTo)
    {
        if (upTo <= StartIndex) return;
        var term = this[upTo].Term;
        var bytes = BytesThrough(upTo);
        var forgotten = (int)(upTo.Value - StartIndex.Value);
        for (var i = 0; i < forgotten; i++) entries[Slot(i)] = null!;
        head = Slot(forgotten);
        count -= forgotten;
        (StartIndex, StartTerm, bytesThroughStart) = (upTo, term, bytes);
        lastSlice = [];
        if (entries.Length > CapacityMin && count < entries.Length / 4) Resize(entries.Length / 2);
    }

    /// <summary>Starts anew, empty, behind a snapshot.</summary>
    public void Restart(SnapshotMetadata snapshot)
    {
        Array.Clear(entries);
        (head, count, lastSlice) = (0, 0, []);
        (StartIndex, StartTerm) = (snapshot.Index, snapshot.Term);
    }

    /// <summary>
    /// Entries from <paramref name="from"/> through <paramref name="through"/>, as many as fit in <paramref name="bytesMax"/> but one at least. Two followers
    /// and the disk mostly want the same newest entries, so the last answer is kept and shared: nobody may write into it.
    /// </summary>
    public Entry[] Slice(LogIndex from, LogIndex through, long bytesMax)
    {
        if (from > through) return [];
        Invariant.Require(from > StartIndex && through <= LastIndex);
        var last = LastWithin(from, through, bytesMax);
        var length = (int)(last.Value - from.Value) + 1;
        if (lastSlice.Length == length && lastSlice[0].Index == from) return lastSlice;

        var slice = new Entry[length];
        var start = SlotOf(from);
        var straight = Math.Min(length, entries.Length - start);
        Array.Copy(entries, start, slice, 0, straight);
        Array.Copy(entries, 0, slice, straight, length - straight);
        return lastSlice = slice;
    }

    /// <summary>The offset of the first entry that is missing here or stands here with another term; the count when there is none.</summary>
    public int FindConflict(IReadOnlyList<Entry> entries)
    {
        if (entries.Count == 0 || entries[0].Index > LastIndex) return 0;
        for (var i = 0; i < entries.Count; i++)
        {
            if (TermAt(entries[i].Index) != entries[i].Term) return i;
        }
        return entries.Count;
    }

    /// <summary>
    /// The last index at or before <paramref name="from"/> whose term is not later than <paramref name="term"/>, and its term. Two logs cannot agree
    /// on anything between: terms only rise along a log, so one round trip skips a whole run of terms that the other side does not have.
    /// Example: a leader with terms 1 3 3 3 5 5 asks at 6 (term 5); a follower with 1 3 3 4 4 answers (3, term 3), and 3 it is.
    /// Ends at the log's starting point, which is committed and so agreed on.
    /// </summary>
    public (LogIndex Index, Term Term) LastNotAfter(LogIndex from, Term term)
    {
        from = LogIndex.Min(from, LastIndex);
        if (from <= StartIndex) return (from, from == StartIndex ? StartTerm : Term.Zero);
        var (low, high) = (StartIndex.Value, from.Value);
        while (low < high)
        {
            var middle = high - ((high - low) / 2);
            if (TermAt(new(middle)) <= term) low = middle;
            else high = middle - 1;
        }
        return (new(low), TermAt(new(low))!.Value);
    }

    LogIndex LastWithin(LogIndex from, LogIndex through, long bytesMax)
    {
        var limit = BytesThrough(from - 1) + bytesMax;
        if (BytesThrough(through) <= limit) return through;
        var (low, high) = (from.Value, through.Value);
        while (low < high)
        {
            var middle = high - ((high - low) / 2);
            if (BytesThrough(new(middle)) <= limit) low = middle;
            else high = middle - 1;
        }
        return new(low);
    }

    long BytesThrough(LogIndex index) => index <= StartIndex ? bytesThroughStart : bytesThrough[SlotOf(index)];

    int SlotOf(LogIndex index) => Slot((int)(index.Value - StartIndex.Value) - 1);

    int Slot(int position) => (head + position) & (entries.Length - 1);

    void Resize(int capacity)
    {
        var entries = new Entry[capacity];
        var bytes = new long[capacity];
        for (var i = 0; i < count; i++) (entries[i], bytes[i]) = (this.entries[Slot(i)], bytesThrough[Slot(i)]);
        (this.entries, bytesThrough, head) = (entries, bytes, 0);
    }
}
