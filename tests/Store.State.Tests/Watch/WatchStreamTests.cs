using System.Text;
using Xunit;

namespace Store.State.Tests;

public sealed class WatchStreamTests
{
    readonly ModelHistory history = new(tailRevisions: 100);
    readonly WatchHub hub;
    readonly WatchClient client;

    public WatchStreamTests()
    {
        hub = new(history.Revision);
        client = new(hub, history);
    }

    void Write(params (string Key, string? Value)[] changes)
    {
        history.Write(changes);
        hub.Publish(history.Revision, history);
    }

    string Drain() => WatchClient.Words(client.Drain());

    [Fact]
    public void A_watcher_is_created_before_its_events_and_sees_what_comes_after()
    {
        Write(("a", "1"));
        client.Create(WatchClient.Key("a"));
        Assert.Equal("0 created@2", Drain());
        Write(("a", "2"), ("b", "2"));
        Write(("a", null));
        Assert.Equal("0 events@4 a=2@3,a=-@4", Drain());
    }

    [Fact]
    public void A_watcher_that_starts_in_the_past_catches_up_with_the_present_revision_in_the_header()
    {
        Write(("a", "1"));
        Write(("b", "1"));
        Write(("a", "2"));
        Write(("b", "2"));
        client.Create(WatchClient.Key("a", start: 2));
        Assert.Equal("0 created@5; 0 events@5 a=1@2,a=2@4", Drain());
        Write(("a", "3"));
        Assert.Equal("0 events@6 a=3@6", Drain());
    }

    [Fact]
    public void A_watcher_that_starts_in_the_future_sees_nothing_before()
    {
        client.Create(WatchClient.Key("a", start: 4));
        Write(("a", "2"));
        Write(("a", "3"));
        Write(("a", "4"));
        Assert.Equal("0 created@4; 0 events@4 a=4@4", Drain());
    }

    [Fact]
    public void Ids_are_counted_up_or_chosen_and_may_not_come_twice()
    {
        client.Create(WatchClient.Key("a"));
        client.Create(WatchClient.Key("a", id: 1));
        client.Create(WatchClient.Key("a"));
        client.Create(WatchClient.Key("a", id: 1));
        Assert.Equal("0 created@1; 1 created@1; 2 created@1; -1 refused@1 DuplicateId", Drain());
    }

    [Theory]
    [InlineData("b", "b", 0, "EmptyRange")]
    [InlineData("b", "a", 0, "EmptyRange")]
    [InlineData("a", "b", -1, "NegativeStart")]
    public void What_makes_no_sense_is_refused_with_id_minus_one(string from, string end, long start, string refusal)
    {
        client.Create(WatchClient.Range(from, end, start));
        Assert.Equal($"-1 refused@1 {refusal}", Drain());
    }

    [Fact]
    public void After_a_cancel_is_acknowledged_nothing_comes_and_unknown_ids_are_ignored()
    {
        client.Create(WatchClient.Key("a"));
        client.Drain();
        Write(("a", "1"));
        client.Cancel(0);
        client.Cancel(7);
        Write(("a", "2"));
        Assert.Equal("0 canceled@3", Drain());
        Write(("a", "3"));
        Assert.False(client.HasWork);
        Assert.Equal(0, hub.WatcherCount);
    }

    [Fact]
    public void Filters_prev_kv_and_ranges_without_end_do_what_they_say()
    {
        client.Create(WatchClient.Range("b", "\0") with { Filter = WatchFilter.NoPut, PrevKv = true });
        client.Create(WatchClient.Range("b", "\0") with { Filter = WatchFilter.NoDelete });
        client.Create(WatchClient.Key("c") with { PrevKv = true });
        client.Drain();
        Write(("a", "1"), ("b", "1"), ("c", "1"));
        Assert.Equal("2 events@2 c=1@2; 1 events@2 b=1@2,c=1@2", WatchClient.Words(client.Drain().OrderByDescending(answer => answer.WatchId)));
        Write(("c", null), ("a", null));
        Assert.Equal("2 events@3 c=-@3<c=1@2; 0 events@3 c=-@3<c=1@2", WatchClient.Words(client.Drain().OrderByDescending(answer => answer.WatchId)));
    }

    [Fact]
    public void A_start_below_the_compacted_revision_is_cancelled_and_one_at_it_is_served_without_prev_kv()
    {
        for (var i = 0; i < 200; i++) Write(("a", $"{i}"));
        history.Compact(new(50));
        client.Create(WatchClient.Key("a", start: 49));
        client.Create(WatchClient.Key("a", start: 50) with { PrevKv = true });
        var answers = client.Drain();
        Assert.Equal("0 created@201; 1 created@201; 0 compacted@201 50", WatchClient.Words(answers.Take(3)));
        var events = answers.Skip(3).SelectMany(answer => answer.Events!).ToList();
        Assert.Equal(152, events.Count);
        Assert.Null(events[0].Previous);
        Assert.NotNull(events[1].Previous);
    }

    [Fact]
    public void A_compaction_right_behind_the_writes_does_not_cancel_who_keeps_up()
    {
        client.Create(WatchClient.Key("a"));
        client.Drain();
        history.Write(("a", "1"));
        history.Write(("a", "2"));
        history.Compact(new(3));
        hub.Publish(history.Revision, history);
        Assert.Equal("0 events@3 a=1@2,a=2@3", Drain());
    }

    [Fact]
    public void A_stream_that_does_not_read_until_compaction_has_passed_it_is_told_so()
    {
        client.Create(WatchClient.Key("a"));
        client.Drain();
        for (var i = 0; i < 200; i++) Write(("a", $"{i}"));
        history.Compact(new(90));
        client.Create(WatchClient.Key("a"));
        Assert.Equal("1 created@201; 0 compacted@201 90", Drain());
        Write(("a", "last"));
        Assert.Equal("1 events@202 a=last@202", Drain());
    }

    [Fact]
    public void After_a_jump_that_memory_does_not_hold_every_stream_looks_for_itself()
    {
        client.Create(WatchClient.Key("a"));
        client.Drain();
        history.Write(("a", "1"));
        for (var i = 0; i < 150; i++) history.Write(("b", $"{i}"));
        hub.Publish(history.Revision, history);
        Assert.Equal("0 events@2 a=1@2", Drain());
        Assert.True(history.DiskReads > 0);
    }

    [Fact]
    public void A_progress_request_is_answered_behind_the_events_before_it()
    {
        client.RequestProgress();
        Assert.Equal("", Drain());
        client.Create(WatchClient.Key("a"));
        client.Drain();
        Write(("a", "1"));
        Write(("b", "1"));
        client.RequestProgress();
        client.RequestProgress();
        Assert.Equal("0 events@2 a=1@2; -1 progress@3; -1 progress@3", Drain());
    }

    [Fact]
    public void A_progress_request_waits_for_the_watcher_that_catches_up_and_for_the_start_in_the_future()
    {
        for (var i = 0; i < 3000; i++) Write(("b", $"{i}"));
        client.Create(WatchClient.Key("a", start: 2));
        client.Create(WatchClient.Key("b", start: 3004));
        client.RequestProgress();
        Assert.Equal("0 created@3001; 1 created@3001", Drain());
        Write(("c", "1"));
        Write(("c", "2"));
        Assert.False(client.HasWork);
        Write(("c", "3"));
        Assert.Equal("-1 progress@3004", Drain());
    }

    [Fact]
    public void Progress_notifications_come_to_quiet_watchers_that_keep_up()
    {
        client.Create(WatchClient.Key("a") with { ProgressNotify = true });
        client.Create(WatchClient.Key("b") with { ProgressNotify = true });
        client.Create(WatchClient.Key("c"));
        client.Create(WatchClient.Key("d", start: 9) with { ProgressNotify = true });
        client.Drain();
        Write(("a", "1"));
        client.Drain();
        client.TickProgress();
        Assert.Equal("1 progress@2", Drain());
        client.TickProgress();
        Assert.Equal("0 progress@2; 1 progress@2", Drain());
    }

    [Fact]
    public void A_long_catch_up_does_not_hold_up_the_watchers_that_keep_up()
    {
        for (var i = 0; i < 5000; i++) Write(("old", $"{i}"));
        client.Create(WatchClient.Key("new"));
        client.Create(WatchClient.Key("old", start: 2));
        client.Turn();
        Write(("new", "1"));
        var answers = client.Turn();
        Assert.Equal("0 events@5002 new=1@5002", WatchClient.Words(answers[0]));
        Assert.Equal(5000, client.Drain().Concat(client.Received).Where(answer => answer.WatchId == 1).SelectMany(answer => answer.Events ?? []).Select(change => change.Stored.Id).Distinct().Count());
    }

    [Fact]
    public void A_write_that_nobody_watches_wakes_nobody()
    {
        client.Create(WatchClient.Range("a", "b"));
        client.Create(WatchClient.Key("k"));
        client.Drain();
        var before = client.Wakes;
        for (var i = 0; i < 100; i++) Write(("b", "x"), ("j", "x"), ("kk", "x"));
        Assert.Equal(before, client.Wakes);
        Write(("aa", "x"));
        Write(("k", "x"));
        Assert.Equal(before + 1, client.Wakes);
    }

    [Fact]
    public void A_piece_ends_at_its_limit_but_never_within_a_revision()
    {
        for (var i = 0; i < 10; i++) Write(("a", new string('x', 400)), ("b", new string('y', 400)));
        var small = new WatchClient(hub, history, new() { PieceBytesMax = 1000 });
        small.Create(WatchClient.Range("a", "c", start: 2));
        var pieces = small.Drain().Where(answer => answer.Kind == WatchAnswerKind.Events).ToList();
        Assert.Equal(5, pieces.Count);
        Assert.All(pieces, piece => Assert.Equal(4, piece.Events!.Count));
    }

    [Fact]
    public void Ten_thousand_idle_watchers_cost_less_than_twenty_mebibytes_and_writes_do_not_notice_them()
    {
        var clients = Enumerable.Range(0, 100).Select(_ => new WatchClient(hub, history)).ToList();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 10_000; i++)
        {
            var prefix = $"/registry/things/namespace-{i / 10}/name-{i}";
            clients[i % 100].Create(i % 2 == 0 ? WatchClient.Key(prefix) : WatchClient.Range(prefix, prefix + "0"));
        }
        foreach (var one in clients)
        {
            one.Drain();
            one.Received.Clear();
            one.Received.TrimExcess();
        }
        var cost = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(10_000, hub.WatcherCount);
        Assert.True(cost < 20 << 20, $"{cost / 1024} KiB");

        var wakes = clients.Sum(one => one.Wakes);
        for (var i = 0; i < 1000; i++) Write(("/registry/things/namespace-", "x"));
        Assert.Equal(wakes, clients.Sum(one => one.Wakes));
        Write(("/registry/things/namespace-77/name-771", "x"));
        Assert.Equal(wakes + 1, clients.Sum(one => one.Wakes));
        foreach (var one in clients) one.Close();
        Assert.Equal((0, 0), (hub.WatcherCount, hub.StreamCount - 1));
    }

    [Fact]
    public void A_thousand_watchers_of_one_key_share_one_list_of_events()
    {
        for (var i = 0; i < 1000; i++) client.Create(WatchClient.Key("a"));
        client.Drain();
        Write(("a", "1"));
        var answers = client.Drain();
        Assert.Equal(1000, answers.Count);
        Assert.Single(answers.Select(answer => answer.Events).Distinct());
        Assert.Equal("999 events@2 a=1@2", WatchClient.Words(answers[^1]));
    }

    [Fact]
    public void Empty_key_means_the_lowest_and_keys_are_compared_as_bytes()
    {
        var everything = WatchRange.Of([], [0]);
        Assert.True(everything.Contains([0]) && everything.Contains([0xff, 0xff]));
        Assert.True(WatchRange.Of("a"u8, []).Equals(WatchRange.Of(Encoding.UTF8.GetBytes("a"), [])));
        Assert.False(WatchRange.Of("a"u8, "b"u8).Contains("b"u8));
        Assert.True(WatchRange.Of("a"u8, "b"u8).Contains([(byte)'a', 0xff]));
    }
}
