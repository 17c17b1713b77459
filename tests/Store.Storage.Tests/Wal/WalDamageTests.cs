using Store.Raft;
using Xunit;
using static Store.Storage.Tests.WalTesting;

namespace Store.Storage.Tests;

/// <summary>
/// What a damaged log leads to: the whole content, the content without the last record and with a notice, or a refusal that names file and offset.
/// Never a silent loss, never another exception.
/// </summary>
public sealed class WalDamageTests : IDisposable
{
    const int Records = 8;

    readonly TemporaryFolder folder = new();
    readonly string path;
    readonly byte[] image;
    /// <summary>Ends of the records; the first is the opening.</summary>
    readonly List<int> ends = [];
    readonly List<string> contents = [];

    public WalDamageTests()
    {
        using (var log = Log())
        {
            Mark(log);
            for (ulong i = 1; i <= Records; i++)
            {
                // Short ones, ones of several sectors, and values with whole sectors of zeros, which a torn write could be mistaken for.
                var data = i % 3 == 0 ? new byte[1500] : [.. Enumerable.Range(0, (int)i * 150).Select(b => (byte)(b + 1))];
                log.Persist([new(i, i % 2 == 0 ? Hard(i, 1, i - 1) : null, [Entry(i, 1, data)], null)]);
                Mark(log);
            }
        }
        path = Segment.PathOf(folder.Path, 1);
        image = File.ReadAllBytes(path);
    }

    public void Dispose() => folder.Dispose();

    WriteAheadLog Log() => WriteAheadLog.Open(folder.Path, Small).Log;

    void Mark(WriteAheadLog _)
    {
        var bytes = File.ReadAllBytes(Segment.PathOf(folder.Path, 1));
        ends.Add(Frame.RoundUp(bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1));
        contents.Add(WalRecovery.Read(folder.Path, default)!.Content.Describe());
    }

    (WalContent? Content, string? Refusal) Reopen(byte[] bytes)
    {
        if (new FileInfo(path).Length > bytes.Length) File.WriteAllBytes(path, []);
        using (var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write)) RandomAccess.Write(file, bytes, 0);
        try
        {
            return (WalRecovery.Read(folder.Path, default)!.Content, null);
        }
        catch (StorageException e)
        {
            Assert.Contains(path, e.Message, StringComparison.Ordinal);
            Assert.Contains("offset ", e.Message, StringComparison.Ordinal);
            return (null, e.Message);
        }
    }

    byte[] With(Action<byte[]> damage)
    {
        var copy = (byte[])image.Clone();
        damage(copy);
        return copy;
    }

    /// <summary>How many records end at or before the offset.</summary>
    int WholeBefore(int offset) => ends.Count(end => end <= offset);

    [Fact]
    public void A_segment_cut_at_any_byte_is_refused()
    {
        for (var length = 0; length < image.Length; length += length < Frame.Sector || length > ends[^2] && length < ends[^1] ? 1 : 97)
            Assert.NotNull(Reopen(image[..length]).Refusal);
    }

    [Fact]
    public void Zeros_from_any_byte_on_lose_nothing_silently()
    {
        for (var from = Frame.Sector * 2; from < ends[^1]; from += from > ends[^3] ? 1 : 5)
        {
            var (content, refusal) = Reopen(With(bytes => bytes.AsSpan(from).Clear()));
            if (refusal is not null) continue;
            var whole = contents.IndexOf(content!.Describe());
            Assert.True(whole >= WholeBefore(from) - 1, $"zeros from {from}");
            // Zeros from the very end of a record on are what a log looks like that was never written further.
            if (whole < Records && !ends.Contains(from)) Assert.NotNull(content!.Notice);
        }
    }

    [Fact]
    public void A_last_record_that_lacks_whole_sectors_is_cut_off_with_a_notice()
    {
        var start = ends[^2];
        var sectors = (ends[^1] - start) / Frame.Sector;
        Assert.True(sectors >= 3);
        for (var missing = 1; missing < 1 << sectors; missing++)
        {
            var torn = With(bytes =>
            {
                for (var sector = 0; sector < sectors; sector++)
                {
                    if ((missing >> sector & 1) != 0) bytes.AsSpan(start + (sector * Frame.Sector), Frame.Sector).Clear();
                }
            });
            var (content, refusal) = Reopen(torn);
            Assert.Null(refusal);
            Assert.Equal(contents[^2], content!.Describe());
            if (missing != (1 << sectors) - 1) Assert.Contains($"offset {start}:", content!.Notice!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_torn_record_never_comes_back_to_life()
    {
        File.WriteAllBytes(path, With(bytes => bytes.AsSpan(ends[^2], Frame.Sector).Clear()));
        var (log, content) = WriteAheadLog.Open(folder.Path, Small);
        using (log)
        {
            Assert.NotNull(content!.Notice);
            Assert.True(Frame.IsBlank(File.ReadAllBytes(path).AsSpan(ends[^2])));
            log.Append(Entry(Records, 2, "new"));
        }
        var again = Read(folder.Path);
        Assert.Null(again.Notice);
        Assert.Equal(new Term(2), again.Entries[^1].Term);
    }

    [Fact]
    public void A_missing_sector_before_the_last_record_is_refused()
    {
        for (var at = Frame.Sector; at < ends[^2]; at += Frame.Sector)
        {
            if (Frame.IsBlank(image.AsSpan(at, Frame.Sector))) continue;
            Assert.NotNull(Reopen(With(bytes => bytes.AsSpan(at, Frame.Sector).Clear())).Refusal);
        }
    }

    [Fact]
    public void Any_flipped_bit_of_a_record_is_refused()
    {
        var random = new Random(7);
        for (var at = 0; at < ends[^1]; at++)
        {
            // All bits of the headers and around them, one of each byte of the last record and of every third of the others.
            var every = at < 64 || ends.Exists(end => at >= end - 4 && at < end + Frame.HeaderBytes + 4);
            if (!every && at < ends[^2] && at % 3 != 0) continue;
            for (var bit = every ? 0 : random.Next(8); bit < 8; bit += every ? 1 : 8)
                Assert.True(Reopen(With(bytes => bytes[at] ^= (byte)(1 << bit))).Refusal is not null, $"byte {at}, bit {bit}");
        }
    }

    [Fact]
    public void A_flipped_bit_behind_the_records_loses_nothing()
    {
        var random = new Random(8);
        for (var at = ends[^1]; at < image.Length; at += random.Next(1, 60))
        {
            var (content, refusal) = Reopen(With(bytes => bytes[at] ^= (byte)(1 << random.Next(8))));
            // Where the next record would begin, it cannot be told from a damaged one.
            if (at < ends[^1] + Frame.Sector && refusal is not null) continue;
            Assert.Null(refusal);
            Assert.Equal(contents[^1], content!.Describe());
            Assert.NotNull(content!.Notice);
        }
    }

    [Fact]
    public void Records_that_are_exchanged_or_doubled_are_refused()
    {
        Assert.NotNull(Reopen(With(bytes => image.AsSpan(ends[0], ends[1] - ends[0]).CopyTo(bytes.AsSpan(ends[1])))).Refusal);
        Assert.NotNull(Reopen(With(bytes => image.AsSpan(ends[^2], ends[^1] - ends[^2]).CopyTo(bytes.AsSpan(ends[^1])))).Refusal);
    }

    [Fact]
    public void An_unknown_format_version_is_refused_by_name()
    {
        var refusal = Reopen(With(bytes => bytes[8] = 2)).Refusal;
        Assert.Contains("format version 2, this program knows only 1", refusal!, StringComparison.Ordinal);
    }
}
