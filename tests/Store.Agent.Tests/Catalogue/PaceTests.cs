using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Store.Agent.Tests;

public sealed class PaceTests
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task More_than_the_rate_waits_until_it_may_have_been_moved()
    {
        var time = new FakeTimeProvider();
        var pace = new Pace(1000, time);
        Assert.True(IsOver(pace, 5));
        var second = pace.PassAsync(495, Cancelled).AsTask();
        time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await second;
    }

    [Fact]
    public void Time_that_was_not_used_is_not_made_up_for()
    {
        var time = new FakeTimeProvider();
        var pace = new Pace(1000, time);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(IsOver(pace, 100));
        Assert.False(IsOver(pace, 100));
    }

    [Fact]
    public void Without_a_rate_nobody_waits() => Assert.True(IsOver(Pace.None, long.MaxValue));

    static bool IsOver(Pace pace, long bytes) => pace.PassAsync(bytes, Cancelled).AsTask().IsCompleted;
}
