using Xunit;

namespace Store.Server.Tests;

public class RangeAdmissionTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_does_not_fit_waits_until_bytes_come_back()
    {
        var admission = new RangeAdmission(100);
        var first = await admission.EnterAsync(60, Token);
        var second = admission.EnterAsync(60, Token).AsTask();
        Assert.False(second.IsCompleted);
        first.Dispose();
        (await second).Dispose();
        (await admission.EnterAsync(100, Token)).Dispose();
    }

    [Fact]
    public async Task Nobody_overtakes_the_one_who_waits()
    {
        var admission = new RangeAdmission(100);
        var first = await admission.EnterAsync(60, Token);
        var large = admission.EnterAsync(90, Token).AsTask();
        var small = admission.EnterAsync(10, Token).AsTask();
        Assert.False(small.IsCompleted);
        first.Dispose();
        await large;
        await small;
    }

    [Fact]
    public async Task A_waiter_that_gives_up_makes_room_for_those_behind_it()
    {
        var admission = new RangeAdmission(100);
        using var impatience = new CancellationTokenSource();
        await admission.EnterAsync(60, Token);
        var large = admission.EnterAsync(90, impatience.Token).AsTask();
        var small = admission.EnterAsync(10, Token).AsTask();
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        await small;
    }

    [Fact]
    public async Task An_answer_larger_than_the_budget_is_let_in_alone()
    {
        var admission = new RangeAdmission(100);
        using (await admission.EnterAsync(1000, Token)) Assert.False(admission.EnterAsync(1, Token).AsTask().IsCompleted);
        Assert.Equal(0, admission.Waiting);
    }
}
