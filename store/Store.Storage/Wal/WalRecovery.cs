using Store.Raft;

namespace Store.Storage;

/// <summary>Where the records of the newest segment end, and whether the remains of a torn record lie behind.</summary>
readonly record struct WalTail(long Offset, long DirtyUntil);

/// <summary>
/// Reads the log back. A record is written only after the one before it was synced, so a crash can leave exactly one unfinished record, at the very
/// end: any of its sectors may be missing, whole. Everything else is damage, and the log is refused:
/// <list type="bullet">
/// <item>a record whose sectors are all there but whose CRC is wrong: it was written and has changed since;</item>
/// <item>a bad or missing record with a whole later one behind it: it had been synced;</item>
/// <item>a segment that is missing, too short, of another log, or ends early although a later segment exists.</item>
/// </list>
/// What no log can notice by itself is a disk that loses the last synced records as a whole; the engine's applied index is compared for that.
/// </summary>
sealed class WalRecovery
{
    readonly List<Entry> entries = [];
    readonly List<(LogIndex Behind, bool Valid)> openings = [];
    SnapshotMetadata start = new(LogIndex.Zero, Term.Zero, MembershipConfig.Empty);
    MembershipConfig lastConfig = MembershipConfig.Empty;
    HardState hardState;
    string? notice;

    internal IReadOnlyList<(ulong Number, string Path)> Files { get; private set; } = [];
    internal SegmentHeader NewestHeader { get; private set; }
    internal WalTail Tail { get; private set; }
    internal ulong NextSequence { get; private set; }

    /// <summary>For each segment where the log stood when it was opened; not valid: entries up to there were overwritten later.</summary>
    internal IReadOnlyList<(LogIndex Behind, bool Valid)> Openings => openings;

    internal MembershipConfig LastConfig => lastConfig;

    LogIndex LastIndex => entries.Count > 0 ? entries[^1].Index : start.Index;

    Term LastTerm => entries.Count > 0 ? entries[^1].Term : start.Term;

    internal WalContent Content => new(hardState, start, entries, notice);

    /// <summary>Null when the folder holds no log.</summary>
    internal static WalRecovery? Read(string folder, WalIdentity identity)
    {
        var files = Segment.List(folder);
        if (files.Count == 0) return null;
        var recovery = new WalRecovery { Files = files };
        var headers = recovery.ReadHeaders(identity);
        for (var i = 0; i < files.Count; i++)
        {
            using var image = SegmentImage.Read(files[i].Path, headers[i]);
            recovery.ReadSegment(image, i + 1 < headers.Count ? headers[i + 1].FirstSequence : null);
        }
        recovery.NewestHeader = headers[^1];
        // The hard state of a large write is synced before its last entries: its commit index may then point behind the log. It is a hint, and grows again.
        recovery.hardState = recovery.hardState with { Commit = LogIndex.Min(recovery.hardState.Commit, recovery.LastIndex) };
        return recovery;
    }

    List<SegmentHeader> ReadHeaders(WalIdentity identity)
    {
        var headers = new List<SegmentHeader>();
        foreach (var (number, path) in Files)
        {
            var header = SegmentImage.ReadHeader(path);
            if (header.Number != number) throw WalDamage.At(path, 16, $"the file is segment {header.Number:x16}, it was renamed");
            if (headers.Count > 0 && number != headers[^1].Number + 1)
            {
                throw WalDamage.At(
                    Segment.PathOf(Path.GetDirectoryName(path)!, headers[^1].Number + 1), 0, "this segment is missing, although later ones are there");
            }
            if (identity != default && header.Identity != identity)
            {
                throw new StorageException(
                    $"{path}: offset 48: the log belongs to member {header.Identity.MemberId:x} of cluster {header.Identity.ClusterId:x}, " +
                    $"this is member {identity.MemberId:x} of cluster {identity.ClusterId:x}; use the data directory of this member");
            }
            headers.Add(header);
        }
        return headers;
    }

    /// <param name="nextFirst">The first sequence of the next segment; null for the newest.</param>
    void ReadSegment(SegmentImage image, ulong? nextFirst)
    {
        var records = image.Records;
        var offset = Frame.Sector;
        var sequence = image.Header.FirstSequence;
        if (openings.Count > 0 && sequence != NextSequence)
            throw WalDamage.At(image.Path, 40, $"the segment begins with record {sequence}, but the one before it ends with {NextSequence - 1}");

        while (sequence != nextFirst)
        {
            var reading = Frame.Read(records[offset..], sequence, image.Header.Salt);
            if (reading.State != FrameState.Whole)
            {
                JudgeEnd(image, offset, sequence, reading, isNewest: nextFirst is null);
                break;
            }
            Take(image, offset, reading.Payload, isFirst: offset == Frame.Sector);
            offset += reading.Size;
            sequence++;
        }
        NextSequence = sequence;
    }

    /// <summary>The records stop here: cleanly, torn, or by damage.</summary>
    void JudgeEnd(SegmentImage image, int offset, ulong sequence, FrameReading reading, bool isNewest)
    {
        switch (reading.State)
        {
            case FrameState.HeaderDamaged:
                throw WalDamage.At(image.Path, offset, $"the header of record {sequence} is damaged (CRC)");
            case FrameState.BodyDamaged:
                throw WalDamage.At(image.Path, offset, $"record {sequence} is damaged (CRC): all of it was written and has changed since");
            case FrameState.OutOfSequence:
                throw WalDamage.At(image.Path, offset, $"record {sequence} is expected here, another one is found");
        }
        if (!isNewest || offset == Frame.Sector)
            throw WalDamage.At(image.Path, offset, $"record {sequence} is missing or incomplete, although it was synced");
        if (FindLater(image, offset + Frame.Sector, sequence) is { } later)
        {
            throw WalDamage.At(
                image.Path, offset, $"record {sequence} is missing or incomplete, but a later record ({later.Sequence}) is whole at offset {later.Offset}");
        }
        if (image.IsSealed)
        {
            throw WalDamage.At(
                Segment.PathOf(Path.GetDirectoryName(image.Path)!, image.Header.Number + 1), 0,
                "this segment is missing: the one before it says that the log goes on here");
        }

        Tail = new(offset, Math.Max(offset, image.UsedBytes));
        if (Tail.DirtyUntil > offset)
        {
            notice =
                $"{image.Path}: offset {offset}: the last record ({sequence}) was not written completely before the member stopped; it was never " +
                $"acknowledged, and was cut off ({Tail.DirtyUntil - offset} bytes)";
        }
    }

    static (ulong Sequence, int Offset)? FindLater(SegmentImage image, int from, ulong sequence)
    {
        var records = image.Records;
        for (var at = from; at < records.Length; at += Frame.Sector)
        {
            if (Frame.TryReadHeader(records[at..], image.Header.Salt, out var found, out _) && found > sequence) return (found, at);
        }
        return null;
    }

    void Take(SegmentImage image, int offset, ReadOnlySpan<byte> payload, bool isFirst)
    {
        try
        {
            var reader = new FrameReader(payload.ToArray());
            while (!reader.AtEnd)
            {
                var kind = reader.Kind();
                if (isFirst != (kind == FrameItem.Opening)) throw WalDamage.At(image.Path, offset, "the segment does not begin with its opening");
                Take(ref reader, kind, image, offset);
                isFirst = false;
            }
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new StorageException($"{image.Path}: offset {offset}: the record's items do not fit its length; it was written by a faulty program", e);
        }
    }

    void Take(ref FrameReader reader, FrameItem kind, SegmentImage image, int offset)
    {
        switch (kind)
        {
            case FrameItem.HardState:
                hardState = reader.HardState();
                break;
            case FrameItem.Entries:
                TakeEntries(ref reader, image, offset);
                break;
            case FrameItem.Start:
                start = reader.Point();
                lastConfig = start.Config;
                entries.Clear();
                Overwrite(start.Index);
                break;
            case FrameItem.Opening:
                Open(reader.Point(), image, offset);
                break;
            default:
                throw new StorageException($"{image.Path}: offset {offset}: unknown item {(int)kind}; start the version of the program that wrote it");
        }
    }

    void Open(SnapshotMetadata point, SegmentImage image, int offset)
    {
        if (openings.Count == 0) start = point;
        else if (point.Index != LastIndex || point.Term != LastTerm)
            throw WalDamage.At(image.Path, offset, $"the segment goes on behind entry {point.Index}, but the one before it ends with entry {LastIndex}");
        lastConfig = point.Config;
        openings.Add((point.Index, true));
    }

    void TakeEntries(ref FrameReader reader, SegmentImage image, int offset)
    {
        var (first, count) = reader.EntriesHeader();
        if (first <= start.Index || first > LastIndex.Next)
            throw WalDamage.At(image.Path, offset, $"the record begins with entry {first}, the log holds {start.Index.Next} to {LastIndex}");
        if (first <= LastIndex)
        {
            var keep = (int)(first.Value - start.Index.Value - 1);
            entries.RemoveRange(keep, entries.Count - keep);
            Overwrite(first - 1);
        }
        for (var i = 0; i < count; i++) entries.Add(reader.Entry(first + (ulong)i));
    }

    /// <summary>The log was cut behind the index: segments that opened behind a later one do not know the right term any more.</summary>
    void Overwrite(LogIndex keptUpTo)
    {
        for (var i = 0; i < openings.Count; i++)
        {
            if (openings[i].Behind > keptUpTo) openings[i] = openings[i] with { Valid = false };
        }
    }
}
