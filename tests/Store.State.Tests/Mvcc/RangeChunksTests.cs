using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.State.Tests;

/// <summary>RangeStream's rules (contract 1.2) and the paged reader behind large unary ranges.</summary>
public class RangeChunksTests
{
    const int TargetBytes = 4000;

    [Fact]
    public void Chunks_start_with_ten_keys_double_while_small_and_halve_when_large()
    {
        var machine = Filled(small: 40, large: 200);
        var sizes = Chunks(machine, new()).Select(chunk => chunk.KeyValues.Count).ToList();
        // Ten small ones, twenty; forty would be ten small and thirty large, but over twice the target nothing is added: nine large ones are. Then 20, too large
        // as well (cut after nine); then ten; then five, which is between half and double.
        Assert.Equal([10, 20, 19, 9, 9], sizes.Take(5));
        Assert.All(sizes.Skip(5).SkipLast(1), size => Assert.Equal(5, size));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(30)]
    [InlineData(239)]
    [InlineData(240)]
    [InlineData(1000)]
    public void Merged_chunks_are_the_unary_answer(long limit)
    {
        var machine = Filled(small: 40, large: 200);
        foreach (var keysOnly in new[] { false, true })
        {
            var request = new RangeRequest { Limit = limit, KeysOnly = keysOnly };
            var chunks = Chunks(machine, request);
            var unary = machine.View.Range(request);
            Assert.Equal(unary.KeyValues.Select(kv => Convert.ToHexString(kv.Span)), chunks.SelectMany(chunk => chunk.KeyValues).Select(kv => Convert.ToHexString(kv.Span)));
            Assert.Equal((unary.More, unary.Count), (chunks[^1].More, chunks[^1].Count));
            Assert.All(chunks.SkipLast(1), chunk => Assert.False(chunk.IsLast));
            Assert.True(chunks[^1].IsLast);
        }
    }

    [Fact]
    public void A_count_is_one_message()
    {
        var chunk = Assert.Single(Chunks(Filled(small: 40, large: 0), new() { CountOnly = true }));
        Assert.Equal((0, 40L, false, true), (chunk.KeyValues.Count, chunk.Count, chunk.More, chunk.IsLast));
    }

    [Fact]
    public void An_empty_range_is_one_empty_message()
    {
        var chunk = Assert.Single(Chunks(new Machine(), new()));
        Assert.Equal((0, 0L, false, true), (chunk.KeyValues.Count, chunk.Count, chunk.More, chunk.IsLast));
    }

    [Fact]
    public void Neither_writes_nor_compaction_disturb_a_stream_that_has_begun()
    {
        var machine = Filled(small: 40, large: 0);
        using var view = machine.View.Pin();
        Assert.Equal(StoreError.None, RangeChunks.Begin(view, All(new()), TargetBytes, out var chunks));
        var keys = chunks!.Next()!.KeyValues.Count;
        for (var i = 0; i < 40; i++) machine.Put($"a{i:d4}", "changed");
        machine.Delete("a0039");
        machine.Compact(machine.View.Revision.Value);
        machine.CompactAll();
        while (chunks.Next() is { } chunk)
        {
            keys += chunk.KeyValues.Count;
            Assert.All(chunk.KeyValues, kv => Assert.Equal("s", Protocol.Mvccpb.KeyValue.Parser.ParseFrom(kv.Span).Value.ToStringUtf8()));
        }
        Assert.Equal(40, keys);
    }

    [Theory]
    [InlineData(99, StoreError.FutureRevision)]
    [InlineData(3, StoreError.Compacted)]
    [InlineData(5, StoreError.None)]
    public void A_revision_is_checked_once_at_the_start(long revision, StoreError expected)
    {
        var machine = Filled(small: 8, large: 0);
        machine.Compact(5);
        using var view = machine.View.Pin();
        Assert.Equal(expected, RangeChunks.Begin(view, All(new() { Revision = revision }), TargetBytes, out _));
    }

    [Fact]
    public void Sorts_and_filters_are_refused_in_etcds_order()
    {
        static StoreError Check(RangeRequest request) => RangeChunks.Check(request);
        Assert.Equal(StoreError.KeyNotProvided, Check(new() { SortOrder = (RangeRequest.Types.SortOrder)99 }));
        var key = Machine.Text("k");
        Assert.Equal(StoreError.InvalidSortOption, Check(new() { Key = key, SortTarget = (RangeRequest.Types.SortTarget)99 }));
        Assert.Equal(StoreError.StreamSorted, Check(new() { Key = key, SortOrder = RangeRequest.Types.SortOrder.Descend, MinModRevision = 1 }));
        Assert.Equal(StoreError.StreamFiltered, Check(new() { Key = key, MaxCreateRevision = 1 }));
        Assert.Equal(StoreError.None, Check(new() { Key = key, SortOrder = RangeRequest.Types.SortOrder.Ascend }));
        Assert.Equal(StoreError.None, Check(new() { Key = key, SortTarget = RangeRequest.Types.SortTarget.Value }));
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(0, 33, false)]
    [InlineData(20, 0, false)]
    [InlineData(0, 0, true)]
    [InlineData(45, 0, true)]
    public void A_range_knows_its_size_before_it_is_read(long revision, long limit, bool keysOnly)
    {
        var machine = Filled(small: 40, large: 30);
        machine.Grant(7);
        machine.Put("a0003", "with a lease", lease: 7);
        machine.Delete("a0005");
        var request = All(new() { Revision = revision, Limit = limit, KeysOnly = keysOnly });
        using var view = machine.View.Pin();
        Assert.Equal(StoreError.None, PlainRange.Begin(view, request, out var range));
        var rows = new List<ReadOnlyMemory<byte>>();
        while (range!.Next(1000) is { Count: > 0 } page) rows.AddRange(page);
        var unary = machine.View.Range(request);
        Assert.Equal(unary.KeyValues.Select(kv => Convert.ToHexString(kv.Span)), rows.Select(kv => Convert.ToHexString(kv.Span)));
        Assert.Equal((unary.More, unary.Count, unary.Revision), (range.More, range.Count, range.Revision));
        var message = new RangeResponse();
        message.Kvs.AddRange(rows.Select(kv => Protocol.Mvccpb.KeyValue.Parser.ParseFrom(kv.Span)));
        Assert.Equal(message.CalculateSize(), range.KeyValueBytes);
    }

    static Machine Filled(int small, int large)
    {
        var machine = new Machine();
        for (var i = 0; i < small; i++) machine.Put($"a{i:d4}", "s");
        for (var i = 0; i < large; i++) machine.Put($"b{i:d4}", new('l', 900));
        return machine;
    }

    static RangeRequest All(RangeRequest request)
    {
        request.Key = ByteString.CopyFrom(0);
        request.RangeEnd = ByteString.CopyFrom(0);
        return request;
    }

    static List<RangeChunk> Chunks(Machine machine, RangeRequest request)
    {
        using var view = machine.View.Pin();
        Assert.Equal(StoreError.None, RangeChunks.Begin(view, All(request), TargetBytes, out var chunks));
        var all = new List<RangeChunk>();
        while (chunks!.Next() is { } chunk) all.Add(chunk);
        return all;
    }
}
