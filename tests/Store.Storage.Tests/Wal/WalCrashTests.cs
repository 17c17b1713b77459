using System.Globalization;
using Store.Raft;
using Xunit;
using static Store.Storage.Tests.WalTesting;

namespace Store.Storage.Tests;

/// <summary>Crashes at the steps of rolling and cutting, and random histories with torn writes beside a model.</summary>
public sealed class WalCrashTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    string[] Segments => [.. Directory.GetFiles(folder.Path, "*.wal").Order(StringComparer.Ordinal)];

    void Fill(ulong entries)
    {
        using var log = WriteAheadLog.Open(folder.Path, Small).Log;
        log.Save(Hard(1, 2, 0));
        for (ulong i = 1; i <= entries; i++) log.Append(Entry(i, 1, new byte[700]));
    }

    string Refusal() => Assert.Throws<StorageException>(() => Read(folder.Path)).Message;

    [Fact]
    public void A_crash_while_the_next_segment_is_prepared_leaves_a_draft_that_is_thrown_away()
    {
        Fill(5);
        File.WriteAllBytes(folder["next.tmp"], new byte[1000]);
        Assert.Equal(5, Read(folder.Path).Entries.Count);
        Assert.False(File.Exists(folder["next.tmp"]));
    }

    [Fact]
    public void A_crash_before_the_old_segment_is_sealed_changes_nothing()
    {
        Fill(30);
        var old = Segments[^2];
        var bytes = File.ReadAllBytes(old);
        bytes.AsSpan(bytes.Length - Frame.Sector).Clear();
        File.WriteAllBytes(old, bytes);
        Assert.Equal(30, Read(folder.Path).Entries.Count);
    }

    [Fact]
    public void A_missing_newest_segment_is_named()
    {
        Fill(30);
        var newest = Segments[^1];
        File.Delete(newest);
        Assert.Contains(newest, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_segment_in_the_middle_is_named()
    {
        Fill(60);
        var middle = Segments[2];
        File.Delete(middle);
        Assert.Contains(middle, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_segment_that_ends_early_is_refused_when_a_later_one_exists()
    {
        Fill(30);
        var old = Segments[^2];
        var bytes = File.ReadAllBytes(old);
        var end = Frame.RoundUp(bytes.AsSpan(0, bytes.Length - Frame.Sector).LastIndexOfAnyExcept((byte)0) + 1);
        bytes.AsSpan(end - Frame.Sector, Frame.Sector).Clear();
        File.WriteAllBytes(old, bytes);
        Assert.Contains(old, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_crash_while_old_segments_are_deleted_leaves_a_log_that_begins_later()
    {
        Fill(100);
        var all = Segments;
        for (var deleted = 0; deleted < all.Length - 1; deleted++)
        {
            var content = Read(folder.Path);
            Assert.Equal(new LogIndex(100), content.Entries[^1].Index);
            Assert.Equal(content.Start.Index.Next, content.Entries[0].Index);
            Assert.Equal(Hard(1, 2, 0), content.HardState);
            File.Delete(all[deleted]);
        }
    }

    [Fact]
    public void A_foreign_file_that_looks_like_a_segment_is_named()
    {
        Fill(3);
        File.WriteAllText(folder["backup.wal"], "");
        Assert.Contains("backup.wal", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_random_history_with_torn_writes_agrees_with_a_model(int seed)
    {
        var random = new Random(seed);
        var model = new Model();
        var log = WriteAheadLog.Open(folder.Path, Small).Log;
        for (var step = 0; step < 300; step++)
        {
            switch (random.Next(12))
            {
                case 0:
                    log.Dispose();
                    (log, var reopened) = WriteAheadLog.Open(folder.Path, Small);
                    Agree(model, reopened, seed, step);
                    Assert.Null(reopened.Notice);
                    break;
                case 1:
                    log.Dispose();
                    (log, var content) = WriteAheadLog.Open(folder.Path, Small);
                    var request = model.Draw(random);
                    log.Persist([request]);
                    log.Dispose();
                    var torn = Tear(random);
                    (log, content) = WriteAheadLog.Open(folder.Path, Small);
                    if (!torn) model.Apply(request);
                    Agree(model, content, seed, step);
                    break;
                case 2:
                    var upTo = model.Start + (ulong)random.Next((int)(model.Last - model.Start) + 1);
                    log.Cut(new(upTo));
                    model.CutAtMost = Math.Max(model.CutAtMost, upTo);
                    break;
                default:
                    var requests = new List<PersistRequest>();
                    for (var i = random.Next(3); i >= 0; i--)
                    {
                        requests.Add(model.Draw(random));
                        model.Apply(requests[^1]);
                    }
                    log.Persist(requests);
                    break;
            }
        }
        log.Dispose();
        Agree(model, Read(folder.Path), seed, -1);
    }

    /// <summary>Takes some sectors of the last record away, as a power loss before its sync would. False when it left the record whole.</summary>
    bool Tear(Random random)
    {
        var path = Segments[^1];
        var bytes = File.ReadAllBytes(path);
        var header = SegmentHeader.Read(bytes.AsSpan(0, Frame.Sector), path);
        var (start, end, sequence) = (0, Frame.Sector, header.FirstSequence);
        while (Frame.Read(bytes.AsSpan(end), sequence, header.Salt) is { State: FrameState.Whole } frame) (start, end, sequence) = (end, end + frame.Size, sequence + 1);
        var torn = false;
        for (var at = start; at < end; at += Frame.Sector)
        {
            if (random.Next(2) == 0 || Frame.IsBlank(bytes.AsSpan(at, Frame.Sector))) continue;
            bytes.AsSpan(at, Frame.Sector).Clear();
            torn = true;
        }
        File.WriteAllBytes(path, bytes);
        return torn;
    }

    static void Agree(Model model, WalContent content, int seed, int step)
    {
        var where = string.Create(CultureInfo.InvariantCulture, $"seed {seed}, step {step}");
        Assert.True(model.HardState with { Commit = content.HardState.Commit } == content.HardState, where);
        Assert.True(content.Start.Index.Value >= model.Start && content.Start.Index.Value <= Math.Max(model.Start, model.CutAtMost), where);
        Assert.True(model.TermAt(content.Start.Index.Value) == content.Start.Term.Value, where);
        var expected = model.Entries.Where(entry => entry.Index > content.Start.Index).Select(entry => $"{entry.Index}/{entry.Term}/{entry.Data.Length}");
        Assert.Equal(string.Join(' ', expected), string.Join(' ', content.Entries.Select(entry => $"{entry.Index}/{entry.Term}/{entry.Data.Length}")));
    }

    /// <summary>The log as a list. Never overwrites what was cut: that had been committed.</summary>
    sealed class Model
    {
        ulong term = 1;

        internal ulong Start { get; private set; }
        internal ulong StartTerm { get; private set; }
        internal ulong CutAtMost { get; set; }
        internal List<Entry> Entries { get; } = [];
        internal HardState HardState { get; private set; }

        internal ulong Last => Entries is [.., var last] ? last.Index.Value : Start;

        internal ulong TermAt(ulong index) => index == Start ? StartTerm : Entries[(int)(index - Start - 1)].Term.Value;

        internal PersistRequest Draw(Random random)
        {
            var kind = random.Next(20);
            if (kind == 0)
            {
                var index = CutAtMost + (ulong)random.Next(1, 200);
                return new(0, Hard(++term, 1, index), [], new(new(index), new(term), MembershipConfig.Of(new NodeId(1))));
            }
            if (kind == 1) return new(0, Hard(++term, (ulong)random.Next(4), 0), [], null);
            var first = Last + 1;
            if (kind < 5)
            {
                var lowest = Math.Max(Start, CutAtMost) + 1;
                first = lowest + (ulong)random.Next((int)(Last + 1 - lowest) + 1);
                term++;
            }
            return new(0, null, [.. Enumerable.Range(0, random.Next(1, 5)).Select(i => Entry(first + (ulong)i, term, new byte[random.Next(3000)]))], null);
        }

        internal void Apply(PersistRequest request)
        {
            if (request.Snapshot is { } snapshot)
            {
                Entries.Clear();
                (Start, StartTerm, CutAtMost) = (snapshot.Index.Value, snapshot.Term.Value, snapshot.Index.Value);
            }
            if (request.HardState is { } state) HardState = state;
            if (request.Entries is not [var first, ..]) return;
            Entries.RemoveAll(entry => entry.Index >= first.Index);
            Entries.AddRange(request.Entries);
        }
    }
}
