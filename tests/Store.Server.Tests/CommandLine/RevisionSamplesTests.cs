using Store.State;
using Xunit;

namespace Store.Server.Tests;

public class RevisionSamplesTests
{
    [Theory]
    [InlineData(60, 6)]
    [InlineData(300, 6)]
    [InlineData(5, 0.5)]
    public void Samples_are_taken_each_tenth_of_the_period_or_of_an_hour(int periodMinutes, double intervalMinutes) =>
        Assert.Equal(TimeSpan.FromMinutes(intervalMinutes), new RevisionSamples(TimeSpan.FromMinutes(periodMinutes)).Interval);

    [Theory]
    [InlineData(60, 10)]
    [InlineData(300, 50)]
    public void The_revision_of_one_period_ago_may_go_and_nothing_younger(int periodMinutes, int samplesOfAPeriod)
    {
        var samples = new RevisionSamples(TimeSpan.FromMinutes(periodMinutes));
        for (var i = 1; i <= samplesOfAPeriod; i++) Assert.Equal(Revision.None, samples.Add(new(i)));
        Assert.Equal(new Revision(1), samples.Add(new(1000)));
        Assert.Equal(new Revision(2), samples.Add(new(1001)));
    }
}
