using Store.Raft;
using Xunit;
using static Store.Storage.Tests.WalTesting;

namespace Store.Storage.Tests;

public sealed class WriteAheadLogTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_new_log_is_empty_and_stays_so()
    {
        Assert.Equal(default, Read(folder.Path).HardState);
        var again = Read(folder.Path);
        Assert.Empty(again.Entries);
        Assert.Equal(LogIndex.Zero, again.Start.Index);
        Assert.Null(again.Notice);
    }

    [Fact]
    public void What_was_persisted_is_there_after_reopening()
    {
        using (var log = WriteAheadLog.Open(folder.Path, Small).Log)
        {
            log.Save(Hard(3, 7, 0));
            log.Append(Entry(1, 1, "a"), Entry(2, 3, ""));
            log.Persist([new(0, Hard(3, 7, 1), [Entry(3, 3, "c")], null), new(1, Hard(3, 7, 2), [], null)]);
        }
        var content = Read(folder.Path);
        Assert.Equal(Hard(3, 7, 2), content.HardState);
        Assert.Equal("1/1/Normal:61 2/3/Normal: 3/3/Normal:63", content.Describe().Split(": ", 2)[1]);
        Assert.Null(content.Notice);
    }

    [Fact]
    public void The_kind_of_an_entry_is_kept()
    {
        using (var log = WriteAheadLog.Open(folder.Path, Small).Log)
            log.Append(new Entry(new(1), new(1), EntryKind.ConfigChange, new byte[] { 1, 2 }));
        Assert.Equal(EntryKind.ConfigChange, Assert.Single(Read(folder.Path).Entries).Kind);
    }

    [Fact]
    public void Entries_below_the_end_replace_the_tail()
    {
        using (var log = WriteAheadLog.Open(folder.Path, Small).Log)
        {
            log.Append(Entry(1, 1, "a"), Entry(2, 1, "b"), Entry(3, 1, "c"));
            log.Append(Entry(2, 2, "B"));
        }
        Assert.Equal("1/1/Normal:61 2/2/Normal:42", Read(folder.Path).Describe().Split(": ", 2)[1]);
    }

    [Fact]
    public void A_snapshot_starts_the_log_anew_behind_it()
    {
        using (var log = WriteAheadLog.Open(folder.Path, Small).Log)
        {
            log.Append(Entry(1, 1, "a"), Entry(2, 1, "b"));
            log.Restart(100, 5, 1, 2, 3);
            log.Append(Entry(101, 5, "x"));
        }
        var content = Read(folder.Path);
        Assert.Equal(new LogIndex(100), content.Start.Index);
        Assert.Equal(new Term(5), content.Start.Term);
        Assert.Equal(MembershipConfig.Of(new NodeId(1), new NodeId(2), new NodeId(3)), content.Start.Config);
        Assert.Equal(new LogIndex(101), Assert.Single(content.Entries).Index);
    }

    [Fact]
    public void A_log_of_many_segments_reads_as_one_and_is_cut_by_whole_segments()
    {
        const int Count = 400;
        using (var log = WriteAheadLog.Open(folder.Path, Small).Log)
        {
            log.Save(Hard(2, 1, 0));
            for (ulong i = 1; i <= Count; i++) log.Append(Entry(i, 2, new byte[500]));
            Assert.True(Directory.GetFiles(folder.Path, "*.wal").Length > 10);
        }
        Assert.Equal(Count, Read(folder.Path).Entries.Count);

        using (var log = WriteAheadLog.Open(folder.Path, Small).Log) log.Cut(new(300));
        var content = Read(folder.Path);
        Assert.InRange(content.Start.Index.Value, 280UL, 300UL);
        Assert.Equal(new Term(2), content.Start.Term);
        Assert.Equal(Hard(2, 1, 0), content.HardState);
        Assert.Equal(content.Start.Index.Next, content.Entries[0].Index);
        Assert.Equal(new LogIndex(Count), content.Entries[^1].Index);
    }

    [Fact]
    public void An_entry_larger_than_a_segment_gets_a_segment_that_fits()
    {
        var large = new byte[100_000];
        Random.Shared.NextBytes(large);
        using (var log = WriteAheadLog.Open(folder.Path, Small).Log) log.Append(Entry(1, 1, "a"), Entry(2, 1, large), Entry(3, 1, "c"));
        var content = Read(folder.Path);
        Assert.Equal(3, content.Entries.Count);
        Assert.Equal(large, content.Entries[1].Data.ToArray());
    }

    [Fact]
    public void A_write_beyond_the_size_of_a_record_is_split_and_comes_back_whole()
    {
        var options = new WalOptions { SegmentBytes = 12 << 20 };
        var entries = Enumerable.Range(1, 40).Select(i => Entry((ulong)i, 1, new byte[512 << 10])).ToArray();
        using (var log = WriteAheadLog.Open(folder.Path, options).Log) log.Persist([new(0, Hard(1, 1, 40), entries, null)]);
        var content = Read(folder.Path, options);
        Assert.Equal(40, content.Entries.Count);
        Assert.Equal(Hard(1, 1, 40), content.HardState);
    }

    [Fact]
    public void A_segment_that_opened_behind_a_tail_overwritten_later_is_not_left_as_the_first()
    {
        using (var log = WriteAheadLog.Open(folder.Path, Small).Log)
        {
            for (ulong i = 1; i <= 60; i++) log.Append(Entry(i, 1, new byte[500]));
            for (ulong i = 11; i <= 90; i++) log.Append(Entry(i, 2, new byte[500]));
            log.Cut(new(70));
        }
        var content = Read(folder.Path);
        Assert.Equal(content.Start.Index <= new LogIndex(10) ? 1UL : 2UL, content.Start.Term.Value);
        Assert.All(content.Entries, entry => Assert.Equal(entry.Index.Value <= 10 ? 1UL : 2UL, entry.Term.Value));
        Assert.Equal(new LogIndex(90), content.Entries[^1].Index);
    }

    [Fact]
    public void A_log_of_another_member_is_refused()
    {
        Read(folder.Path, Small with { Identity = new(0xabc, 1) });
        var refusal = Assert.Throws<StorageException>(() => Read(folder.Path, Small with { Identity = new(0xabc, 2) }));
        Assert.Contains("belongs to member 1 of cluster abc", refusal.Message, StringComparison.Ordinal);
    }
}
