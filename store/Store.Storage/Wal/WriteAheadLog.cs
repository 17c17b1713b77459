using System.Diagnostics;
using Store.Raft;

namespace Store.Storage;

public sealed record WalOptions
{
    public int SegmentBytes { get; init; } = 64 << 20;

    /// <summary>False only for `--unsafe-no-fsync`.</summary>
    public bool Sync { get; init; } = true;

    /// <summary>Whose log it is; a log of somebody else is refused. All zero: not checked.</summary>
    public WalIdentity Identity { get; init; }

    /// <summary>Told how long each sync took, on the caller's thread.</summary>
    public Action<TimeSpan>? Synced { get; init; }

    /// <summary>Told how many bytes each write had and how long it took without its sync, on the caller's thread.</summary>
    public Action<long, TimeSpan>? Written { get; init; }
}

/// <summary>What the log held when it was opened.</summary>
/// <param name="Start">
/// The point that the log starts behind. Its config is that of the last snapshot install (empty when there was none): once segments were cut, the
/// state machine's own is newer.
/// </param>
/// <param name="Notice">A torn tail that was cut, with file and offset; null when the log ended cleanly.</param>
public sealed record WalContent(HardState HardState, SnapshotMetadata Start, IReadOnlyList<Entry> Entries, string? Notice);

/// <summary>
/// The Raft log on disk (design S4). One caller at a time; every method blocks.
///
/// What is assumed of the disk, and nothing more:
/// 1. When fdatasync returns success, everything written to the file before is durable. Before that, any subset of the written sectors may be.
/// 2. A sector of 512 bytes is written whole or not at all. Only sectors that hold nothing synced are ever written to: a record starts on its own.
/// 3. A rename within a folder is atomic, and durable after fsync of the folder. So are creations and deletions, each by itself.
/// 4. Data may change while it lies there: nothing is used before its CRC was checked.
/// 5. After a failed write or sync nothing is known of the file: the log refuses everything from then on, and the process must stop.
///
/// One <see cref="Persist"/> is one record and one sync (a large one is several, each synced before the next is written). What recovery makes of it
/// stands at <see cref="WalRecovery"/>.
/// </summary>
public sealed class WriteAheadLog : IDisposable
{
    /// <summary>A larger write is split, which bounds memory; each piece is synced by itself.</summary>
    const int FrameBytesMax = 8 << 20;

    readonly string folder;
    readonly WalOptions options;
    readonly SegmentPreparer preparer;
    readonly SegmentRemover remover = new();
    readonly FrameWriter frame = new();
    readonly FrameWriter opening = new();
    readonly List<SegmentOpening> segments = [];
    Segment active;
    ulong nextSequence;
    LogPosition durable;
    LogPosition written;
    LogIndex? keptUpTo;
    StorageException? failure;

    WriteAheadLog(string folder, WalOptions options, SegmentPreparer preparer)
    {
        this.folder = folder;
        this.options = options;
        this.preparer = preparer;
        nextSequence = 1;
        durable = written = new(default, LogIndex.Zero, Term.Zero, MembershipConfig.Empty);
        active = StartSegment(1, 0);
    }

    WriteAheadLog(string folder, WalOptions options, SegmentPreparer preparer, WalRecovery recovery)
    {
        this.folder = folder;
        this.options = options;
        this.preparer = preparer;
        nextSequence = recovery.NextSequence;
        var content = recovery.Content;
        durable = written = content.Entries is [.., var last]
            ? new(content.HardState, last.Index, last.Term, recovery.LastConfig)
            : new(content.HardState, content.Start.Index, content.Start.Term, recovery.LastConfig);
        for (var i = 0; i < recovery.Files.Count; i++)
            segments.Add(new(recovery.Files[i].Path, recovery.Openings[i].Behind, recovery.Openings[i].Valid));
        active = Segment.Open(recovery.Files[^1].Path, recovery.NewestHeader, recovery.Tail.Offset);
        if (recovery.Tail.DirtyUntil > recovery.Tail.Offset) active.Blank(recovery.Tail.Offset, recovery.Tail.DirtyUntil);
    }

    /// <summary>Opens or creates the log in the folder. Throws <see cref="StorageException"/> that names file and offset when it cannot be trusted.</summary>
    public static (WriteAheadLog Log, WalContent Content) Open(string folder, WalOptions options)
    {
        Disk.CreateFolder(folder);
        var recovery = WalRecovery.Read(folder, options.Identity);
        var ahead = new SegmentPreparer(folder);
        try
        {
            Disk.Try(ahead.DraftPath, "cannot be removed", () => File.Delete(ahead.DraftPath));
            var log = recovery is null ? new WriteAheadLog(folder, options, ahead) : new WriteAheadLog(folder, options, ahead, recovery);
            var start = new SnapshotMetadata(LogIndex.Zero, Term.Zero, MembershipConfig.Empty);
            return (log, recovery?.Content ?? new(default, start, [], null));
        }
        catch
        {
            ahead.Dispose();
            throw;
        }
    }

    /// <summary>Writes what the requests ask for, in order, and makes it durable with one sync. On return all of it is on disk.</summary>
    public void Persist(IReadOnlyList<PersistRequest> requests)
    {
        if (failure is not null) throw new StorageException($"the log takes nothing after a failed write; restart the member ({failure.Message})", failure);
        try
        {
            foreach (var request in requests) Add(request);
            if (frame.PayloadBytes > 0) WriteFrame();
        }
        catch (StorageException e)
        {
            failure = e;
            throw;
        }
    }

    /// <summary>Whole segments that only hold entries up to the index may go. Called with an index that the engine has made durable.</summary>
    public void Cut(LogIndex upTo)
    {
        // A segment may go when the one after it says how the log goes on: where that is already overwritten, the two go together or stay.
        var keepFrom = segments.FindLastIndex(segment => segment.Valid && segment.Behind <= upTo);
        if (keepFrom <= 0) return;
        remover.Remove(folder, segments.Take(keepFrom).Select(segment => segment.Path).ToList());
        segments.RemoveRange(0, keepFrom);
    }

    void Add(PersistRequest request)
    {
        if (request.Snapshot is { } snapshot)
        {
            frame.Add(FrameItem.Start, snapshot);
            Overwrite(snapshot.Index);
            written = written with { LastIndex = snapshot.Index, LastTerm = snapshot.Term, Config = snapshot.Config };
        }
        if (request.HardState is { } hardState)
        {
            frame.Add(hardState);
            written = written with { HardState = hardState };
        }
        for (var from = 0; from < request.Entries.Count;)
        {
            var to = FittingFrom(request.Entries, from);
            AddEntries(request.Entries, from, to);
            from = to;
            if (from < request.Entries.Count) WriteFrame();
        }
    }

    void AddEntries(IReadOnlyList<Entry> entries, int from, int to)
    {
        Invariant.Require(entries[from].Index <= written.LastIndex.Next);
        if (entries[from].Index <= written.LastIndex) Overwrite(entries[from].Index - 1);
        frame.Add(entries, from, to);
        written = written with { LastIndex = entries[to - 1].Index, LastTerm = entries[to - 1].Term };
    }

    /// <summary>The end of the run of entries that still fits this record; at least one.</summary>
    int FittingFrom(IReadOnlyList<Entry> entries, int from)
    {
        var bytes = frame.PayloadBytes + FrameWriter.SizeOf(entries[from]);
        var to = from + 1;
        while (to < entries.Count && (bytes += FrameWriter.SizeOf(entries[to])) <= FrameBytesMax) to++;
        return to;
    }

    /// <summary>The record at hand cuts the log behind the index.</summary>
    void Overwrite(LogIndex kept) => keptUpTo = LogIndex.Min(kept, keptUpTo ?? kept);

    /// <summary>Only once the record is written: it may have rolled the log, and then it also overwrites what its own segment opened behind.</summary>
    void InvalidateOpenings()
    {
        if (keptUpTo is not { } kept) return;
        keptUpTo = null;
        for (var i = 0; i < segments.Count; i++)
        {
            if (segments[i].Behind > kept) segments[i] = segments[i] with { Valid = false };
        }
    }

    void WriteFrame()
    {
        if (!active.HasRoomFor(frame.SizeBytes)) Roll();
        var bytes = frame.Finish(nextSequence, active.Header.Salt);
        var started = Stopwatch.GetTimestamp();
        active.Append(bytes);
        options.Written?.Invoke(bytes.Length, Stopwatch.GetElapsedTime(started));
        Sync(active);
        nextSequence++;
        durable = written;
        InvalidateOpenings();
        frame.Clear();
        if (active.UsedBytes > active.Header.SegmentBytes / 2 && preparer.IsIdle) preparer.Begin(options.SegmentBytes);
    }

    void Sync(Segment segment)
    {
        if (!options.Sync) return;
        var started = Stopwatch.GetTimestamp();
        segment.Sync();
        options.Synced?.Invoke(Stopwatch.GetElapsedTime(started));
    }

    /// <summary>
    /// Goes on in the next segment. A crash in between is harmless at each step:
    /// 1. header and opening are written and synced under the draft's name: the draft is thrown away on start;
    /// 2. the draft gets its name, the folder is synced: an empty newest segment, which repeats where the log stands;
    /// 3. the old segment is sealed: from here on a missing newest segment is noticed.
    /// </summary>
    void Roll()
    {
        var old = active;
        active = StartSegment(old.Header.Number + 1, frame.SizeBytes);
        old.WriteSeal(options.Sync);
        old.Dispose();
    }

    Segment StartSegment(ulong number, int frameBytes)
    {
        opening.Clear();
        opening.Add(FrameItem.Opening, new(durable.LastIndex, durable.LastTerm, durable.Config));
        opening.Add(durable.HardState);
        var bytes = Math.Max(options.SegmentBytes, Segment.BytesFor(frameBytes, opening.SizeBytes));
        var file = preparer.Take(bytes, out bytes);

        var path = Segment.PathOf(folder, number);
        var segment = new Segment(path, file, SegmentHeader.New(number, bytes, nextSequence, options.Identity), Frame.Sector);
        try
        {
            segment.WriteHeader();
            segment.Append(opening.Finish(nextSequence, segment.Header.Salt));
            Sync(segment);
            Disk.Rename(preparer.DraftPath, path);
        }
        catch
        {
            segment.Dispose();
            throw;
        }
        nextSequence++;
        segments.Add(new(path, durable.LastIndex, Valid: true));
        return segment;
    }

    public void Dispose()
    {
        active.Dispose();
        preparer.Dispose();
        remover.Dispose();
    }

    /// <summary>Where the log stands: what a segment's opening repeats.</summary>
    /// <param name="Config">Of the last snapshot.</param>
    readonly record struct LogPosition(HardState HardState, LogIndex LastIndex, Term LastTerm, MembershipConfig Config);

    /// <param name="Behind">The last entry before the segment.</param>
    /// <param name="Valid">False once that entry was overwritten: a log that begins with this segment would begin with the wrong term.</param>
    readonly record struct SegmentOpening(string Path, LogIndex Behind, bool Valid);
}
