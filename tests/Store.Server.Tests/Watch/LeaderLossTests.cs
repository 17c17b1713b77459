using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Store.Server.Tests;

public sealed class LeaderLossTests
{
    [Fact]
    public void Streams_end_after_three_election_timeouts_without_a_leader_and_new_ones_may_come_afterwards()
    {
        var time = new FakeTimeProvider();
        var hasLeader = true;
        using var loss = new LeaderLoss(() => hasLeader, TimeSpan.FromSeconds(1), time);
        var token = loss.Lost;
        hasLeader = false;
        time.Advance(TimeSpan.FromSeconds(2));
        hasLeader = true;
        time.Advance(TimeSpan.FromSeconds(1));
        hasLeader = false;
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(token.IsCancellationRequested);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(token.IsCancellationRequested);
        hasLeader = true;
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(loss.Lost.IsCancellationRequested);
    }
}
