using System.Diagnostics;
using Store.State;
using Xunit;

namespace Store.Server.Tests;

public sealed class ReadingPaceTests
{
    const int PairBytes = 32 << 10;

    static IReadOnlyList<BackendBucket> Buckets(int pairs) =>
        [new("key", Enumerable.Range(0, pairs).Select(_ => new BackendPair(new byte[8], new byte[PairBytes - 8])))];

    [Fact]
    public void Reading_takes_as_long_as_the_rate_says_and_leaves_nothing_out()
    {
        var started = Stopwatch.GetTimestamp();
        var pace = new ReadingPace(64 * PairBytes, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(32, pace.Hold(Buckets(32)).Single().Pairs.Count());
        Assert.True(Stopwatch.GetElapsedTime(started) > TimeSpan.FromMilliseconds(450));
    }

    [Fact]
    public async Task Whoever_does_not_want_it_any_more_need_not_wait_for_it()
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var reading = Task.Run(() => new ReadingPace(1, TimeProvider.System, ended.Token).Hold(Buckets(32)).Single().Pairs.Count(), TestContext.Current.CancellationToken);
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }
}
