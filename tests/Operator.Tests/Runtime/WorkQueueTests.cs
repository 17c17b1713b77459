using Microsoft.Extensions.Time.Testing;
using Operator.Controller;
using Xunit;

namespace Operator.Tests;

public sealed class WorkQueueTests
{
    static readonly ObjectKey Key = new("shop", "orders");
    readonly FakeTimeProvider time = new();

    [Fact]
    public async Task A_key_added_many_times_is_taken_once()
    {
        using var queue = new WorkQueue("test", time);
        for (var time = 0; time < 5; time++) queue.Add(Key);
        Assert.Equal(1, queue.Depth);
        Assert.Equal(Key, await queue.TakeAsync(TestContext.Current.CancellationToken));
        Assert.Equal(0, queue.Depth);
    }

    [Fact]
    public async Task A_key_added_while_it_is_worked_on_comes_again_after_and_not_during()
    {
        using var queue = new WorkQueue("test", time);
        queue.Add(Key);
        await queue.TakeAsync(TestContext.Current.CancellationToken);
        queue.Add(Key);
        Assert.Equal(0, queue.Depth);
        queue.Done(Key);
        Assert.Equal(1, queue.Depth);
    }

    [Fact]
    public void The_earlier_of_two_delays_wins()
    {
        using var queue = new WorkQueue("test", time);
        queue.AddAfter(Key, TimeSpan.FromSeconds(10));
        queue.AddAfter(Key, TimeSpan.FromSeconds(2));
        queue.AddAfter(Key, TimeSpan.FromSeconds(20));
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(0, queue.Depth);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(1, queue.Depth);
    }

    [Fact]
    public async Task A_delay_overtaken_by_an_event_does_not_add_another_pass()
    {
        using var queue = new WorkQueue("test", time);
        queue.AddAfter(Key, TimeSpan.FromSeconds(10));
        queue.Add(Key);
        await queue.TakeAsync(TestContext.Current.CancellationToken);
        queue.Done(Key);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, queue.Depth);
    }

    [Fact]
    public async Task Failures_back_off_and_forgetting_starts_anew()
    {
        using var queue = new WorkQueue("test", time);
        for (var failure = 1; failure <= 3; failure++)
        {
            queue.AddRateLimited(Key);
            time.Advance(BackOff.After(failure) - TimeSpan.FromMilliseconds(1));
            Assert.Equal(0, queue.Depth);
            time.Advance(TimeSpan.FromMilliseconds(2));
            Assert.Equal(1, queue.Depth);
            await queue.TakeAsync(TestContext.Current.CancellationToken);
            queue.Done(Key);
        }

        queue.Forget(Key);
        queue.AddRateLimited(Key);
        time.Advance(TimeSpan.FromMilliseconds(6));
        Assert.Equal(1, queue.Depth);
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 10)]
    [InlineData(10, 2560)]
    [InlineData(17, 300_000)]
    [InlineData(1000, 300_000)]
    public void Back_off_doubles_up_to_five_minutes(int failures, double milliseconds) => Assert.Equal(milliseconds, BackOff.After(failures).TotalMilliseconds);
}
