using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Server.Tests;

public sealed class WatchSessionTests
{
    readonly ScriptedHistory history = new();

    [Fact]
    public async Task Responses_on_the_wire_are_etcd_s()
    {
        await using var session = new RunningSession(history.Feed);
        await session.CreateAsync("a");
        var created = await session.NextAsync();
        Assert.Equal(new WatchResponse { Header = Header(1), Created = true }, created);

        history.Put("a", [1, 2, 3]);
        var response = await session.NextAsync();
        Assert.Equal(Header(2), response.Header);
        Assert.Equal(("a", 2L, 1L), (response.Events[0].Kv.Key.ToStringUtf8(), response.Events[0].Kv.ModRevision, response.Events[0].Kv.Version));

        await session.CreateAsync("b", "b");
        Assert.Equal(new WatchResponse { Header = Header(2), WatchId = -1, Created = true, Canceled = true, CancelReason = "mvcc: watcher range is empty" }, await session.NextAsync());
        await session.CreateAsync("b", start: -1);
        Assert.Equal("etcdserver: mvcc: required revision has been compacted", (await session.NextAsync()).CancelReason);
        await session.CreateAsync("b", id: 300);
        Assert.Equal(new WatchResponse { Header = Header(2), WatchId = 300, Created = true }, await session.NextAsync());
        await session.CreateAsync("b", id: 300);
        Assert.Equal("mvcc: duplicate watch ID provided on the WatchStream", (await session.NextAsync()).CancelReason);

        history.Compacted = new(2);
        await session.CreateAsync("a", start: 1);
        Assert.Equal(new WatchResponse { Header = Header(2), WatchId = 1, Created = true }, await session.NextAsync());
        Assert.Equal(new WatchResponse { Header = Header(2), WatchId = 1, Canceled = true, CompactRevision = 2 }, await session.NextAsync());

        await session.RequestProgressAsync();
        Assert.Equal(new WatchResponse { Header = Header(2), WatchId = -1 }, await session.NextAsync());
    }

    [Fact]
    public async Task A_client_that_does_not_read_costs_its_window_and_one_piece_and_then_gets_everything()
    {
        await using var session = new RunningSession(history.Feed);
        await session.CreateAsync("a");
        await session.NextAsync();
        for (var i = 0; i < 20_000; i++) history.Put("a", new byte[1000]);

        // Twenty megabytes were written; what was taken out of the log for the client settles at what its pipe takes, and one piece.
        var buffered = await SettledAsync(session.Reader);
        Assert.InRange(buffered, RunningSession.WindowBytes, RunningSession.WindowBytes + (160 << 10));

        var expected = 2L;
        while (expected < history.Revision.Value)
        {
            foreach (var change in (await session.NextAsync()).Events) Assert.Equal(expected++, change.Kv.ModRevision);
        }
    }

    static async Task<long> SettledAsync(PipeReader reader)
    {
        var (last, same) = (-1L, 0);
        while (same < 20)
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
            var now = reader.TryRead(out var read) ? read.Buffer.Length : 0;
            if (now > 0) reader.AdvanceTo(read.Buffer.Start);
            same = now == last && now >= RunningSession.WindowBytes ? same + 1 : 0;
            last = now;
        }
        return last;
    }

    [Fact]
    public async Task Progress_is_notified_after_each_silent_interval()
    {
        var time = new FakeTimeProvider();
        await using var session = new RunningSession(history.Feed, time, TimeSpan.FromSeconds(10));
        await session.CreateAsync("a", progressNotify: true);
        await session.NextAsync();
        history.Put("b", []);
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(new WatchResponse { Header = Header(2) }, await session.NextAsync());
    }

    [Fact]
    public async Task A_watcher_created_now_starts_behind_a_write_that_the_hub_has_not_been_told_of()
    {
        await using var session = new RunningSession(history.Feed);
        history.Put("a", [1]);
        await session.CreateAsync("a");
        Assert.Equal(2, (await session.NextAsync()).Header.Revision);
    }

    [Fact]
    public async Task A_response_beyond_the_limit_is_cut_where_its_watcher_allows_it()
    {
        for (var i = 0; i < 4; i++) history.Put("a", new byte[3 << 20]);
        await using var session = new RunningSession(history.Feed);
        await session.CreateAsync("a", start: 2, fragment: true);
        await session.NextAsync();
        for (var i = 0; i < 4; i++)
        {
            var response = await session.NextAsync();
            Assert.Single(response.Events);
            Assert.Equal(i + 2, response.Events[0].Kv.ModRevision);
        }
    }

    [Theory]
    [InlineData(100, new long[] { 10, 10 }, "0+2")]
    [InlineData(50, new long[] { 45 }, "0+1")]
    [InlineData(50, new long[] { 45, 45, 45 }, "0+1… 1+1… 2+1")]
    [InlineData(50, new long[] { 10, 10, 10, 10, 10 }, "0+3… 3+2")]
    [InlineData(30, new long[] { 5, 5 }, "0+2")]
    [InlineData(20, new long[] { 5, 5 }, "0+1… 1+1")]
    public void Fragments_stay_below_the_limit_where_they_can(long limit, long[] sizes, string expected)
    {
        var cuts = WatchFragments.Cut(10, sizes, limit);
        Assert.Equal(expected, string.Join(' ', cuts.Select(cut => $"{cut.First}+{cut.Count}{(cut.More ? "…" : "")}")));
    }

    static ResponseHeader Header(long revision) => new() { ClusterId = 0xcdf818194e3a8c32, MemberId = 0x8e9e05c52164694d, Revision = revision, RaftTerm = 2 };
}
