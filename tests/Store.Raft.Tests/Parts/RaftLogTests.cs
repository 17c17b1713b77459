namespace Store.Raft.Tests;

public sealed class RaftLogTests
{
    /// <summary>The ring does what a list does, through growth, wrapping, cutting at both ends and shrinking.</summary>
    [Fact]
    public void The_log_agrees_with_a_list_under_random_use()
    {
        for (var seed = 1; seed <= 30; seed++)
        {
            var random = new Random(seed);
            var log = new RaftLog(new(LogIndex.Zero, Term.Zero, MembershipConfig.Empty), []);
            var model = new List<Entry>();
            var start = 0UL;
            for (var step = 0; step < 400; step++)
            {
                switch (random.Next(10))
                {
                    case < 6:
                        for (var n = random.Next(1, 60); n > 0; n--)
                        {
                            var entry = new Entry(new(log.LastTerm.Value + (ulong)random.Next(2)), log.LastIndex.Next, EntryKind.Normal, new byte[random.Next(50)]);
                            model.Add(entry);
                            log.Append(entry);
                        }
                        break;
                    case < 8 when model.Count > 0:
                        var keep = random.Next(model.Count);
                        log.Truncate(model[keep].Index);
                        model.RemoveRange(keep, model.Count - keep);
                        break;
                    case 8 when model.Count > 0:
                        var forget = random.Next(1, model.Count + 1);
                        start = model[forget - 1].Index.Value;
                        log.Compact(new(start));
                        model.RemoveRange(0, forget);
                        break;
                }
                Agrees(log, model, start, random);
            }
        }
    }

    /// <summary>Both sides of the hint, on the example of the docstring and its borders.</summary>
    [Theory]
    [InlineData(new ulong[] { 1, 3, 3, 4, 4 }, 6, 5, 5, 4)]
    [InlineData(new ulong[] { 1, 3, 3, 4, 4 }, 6, 3, 3, 3)]
    [InlineData(new ulong[] { 1, 3, 3, 4, 4 }, 2, 3, 2, 3)]
    [InlineData(new ulong[] { 1, 3, 3, 4, 4 }, 5, 2, 1, 1)]
    [InlineData(new ulong[] { 3, 3 }, 2, 2, 0, 0)]
    [InlineData(new ulong[] { }, 4, 2, 0, 0)]
    public void The_hint_skips_whole_terms(ulong[] terms, ulong from, ulong term, ulong index, ulong itsTerm)
    {
        var log = new RaftLog(
            new(LogIndex.Zero, Term.Zero, MembershipConfig.Empty),
            [.. terms.Select((t, i) => new Entry(new(t), new((ulong)i + 1), EntryKind.Normal, default))]);
        Assert.Equal((new LogIndex(index), new Term(itsTerm)), log.LastNotAfter(new(from), new(term)));
    }

    [Fact]
    public void The_same_slice_is_made_once()
    {
        var log = new RaftLog(new(LogIndex.Zero, Term.Zero, MembershipConfig.Empty), []);
        for (var i = 1UL; i <= 3; i++) log.Append(new(new(1), new(i), EntryKind.Normal, default));
        Assert.Same(log.Slice(new(2), new(3), 1000), log.Slice(new(2), new(3), 5000));
        var before = log.Slice(new(2), new(3), 1000);
        log.Truncate(new(3));
        log.Append(new(new(2), new(3), EntryKind.Normal, default));
        Assert.Equal(new Term(2), log.Slice(new(2), new(3), 1000)[1].Term);
        Assert.Equal(new Term(1), before[1].Term);
    }

    static void Agrees(RaftLog log, List<Entry> model, ulong start, Random random)
    {
        Assert.Equal((start, start + (ulong)model.Count), (log.StartIndex.Value, log.LastIndex.Value));
        Assert.Null(log.TermAt(log.LastIndex.Next));
        if (model.Count == 0) return;
        var from = random.Next(model.Count);
        var through = random.Next(from, model.Count);
        var bytesMax = random.Next(1000);
        var expected = model[from..(through + 1)];
        while (expected.Count > 1 && expected.Sum(e => e.SizeBytes) > bytesMax) expected.RemoveAt(expected.Count - 1);
        Assert.Equal(expected, log.Slice(model[from].Index, model[through].Index, bytesMax));
        Assert.Equal(model[from].Term, log.TermAt(model[from].Index));
        Assert.Equal(model[from..(through + 1)].Sum(e => (long)e.SizeBytes), log.BytesBetween(model[from].Index - 1, model[through].Index));
    }
}
