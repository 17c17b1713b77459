using Xunit;
using static Store.Agent.Tests.ManifestOf;

namespace Store.Agent.Tests;

public sealed class RetentionTests
{
    static string Kept(RetentionPolicy policy, params IReadOnlyList<Manifest> backups) =>
        string.Join(' ', backups.Except(Retention.Expired(backups, policy)).Select(backup => backup.IsFull ? $"{backup.To}" : $"{backup.From}-{backup.To}"));

    [Fact]
    public void The_newest_of_each_hour_day_and_week_stays()
    {
        // Every six hours for three weeks: revision 1 is Monday 00:30, revision 84 Sunday 18:30.
        var fulls = Enumerable.Range(0, 84).Select(i => Full(i + 1, at: 6 * i)).ToList();
        Assert.Equal("28 56 72 76 80 82 83 84", Kept(new(Hourly: 3, Daily: 4, Weekly: 3, FullMin: 1), fulls));
    }

    [Fact]
    public void Revisions_stay_from_the_oldest_hourly_one_on() =>
        Assert.Equal(
            "1 2 20-30 3",
            Kept(new(Hourly: 2, Daily: 9, Weekly: 9, FullMin: 1), Full(1, at: -24), Delta(1, 2, at: -23), Full(2, at: 0), Delta(20, 30, at: 0.5), Full(3, at: 1)));

    [Fact]
    public void One_more_backup_costs_no_moment_of_the_first_hour() =>
        Assert.Equal(
            "1 1-2 2-5 4 5",
            Kept(new(Hourly: 24, Daily: 7, Weekly: 5, FullMin: 2), Full(1, at: 0), Delta(1, 2, at: 0.1), Delta(2, 5, at: 0.2), Full(3, at: 0.2), Full(4, at: 0.3), Full(5, at: 0.4)));

    [Fact]
    public void The_minimum_stays_however_old_and_whatever_the_rest_says()
    {
        Assert.Equal("2 3", Kept(new(0, 0, 0, FullMin: 2), Full(1, at: 0), Full(2, at: 1), Full(3, at: 2)));
        Assert.Equal("3", Kept(new(0, 0, 0, FullMin: 0), Full(1, at: 0), Full(2, at: 1), Full(3, at: 2)));
    }

    [Fact]
    public void Deltas_without_a_full_backup_are_left_alone() => Assert.Equal("1-2", Kept(new(1, 1, 1, 1), Delta(1, 2)));
}
