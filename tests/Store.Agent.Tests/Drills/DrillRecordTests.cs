using System.Text;
using Xunit;

namespace Store.Agent.Tests;

public sealed class DrillRecordTests
{
    const string Cluster = BackedUpMachine.Cluster;
    static readonly DateTimeOffset Now = new(2026, 11, 27, 20, 0, 0, TimeSpan.Zero);
    static readonly TimeSpan Week = TimeSpan.FromDays(7);
    static readonly BackupKey Key = BackupKey.Of(Encoding.ASCII.GetBytes(new string('7', 64)))!;
    static readonly DrillResult Held = new(Now.AddDays(-3), TimeSpan.FromSeconds(4), 120, HashCompared: true, Problem: null);

    /// <summary>An agent that is restarted every day held none when the interval began with its start.</summary>
    [Fact]
    public void A_drill_is_due_an_interval_after_the_last_one_or_after_the_oldest_backup()
    {
        Assert.False(NextDrill.IsDue(null, null, Week, Now));
        Assert.False(NextDrill.IsDue(null, Now.AddDays(-6), Week, Now));
        Assert.True(NextDrill.IsDue(null, Now.AddDays(-7), Week, Now));
        Assert.False(NextDrill.IsDue(Now.AddDays(-6), Now.AddDays(-30), Week, Now));
        Assert.True(NextDrill.IsDue(Now.AddDays(-7), Now.AddDays(-30), Week, Now));
    }

    [Fact]
    public void Clocks_that_differ_put_a_drill_off_by_no_more_than_an_interval()
    {
        Assert.False(NextDrill.IsDue(Now.AddMinutes(5), Now.AddDays(-30), Week, Now));
        Assert.True(NextDrill.IsDue(Now.AddYears(1), Now.AddDays(-30), Week, Now));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_last_drill_is_known_to_the_next_agent_and_is_no_garbage(bool encrypted)
    {
        var cancelled = TestContext.Current.CancellationToken;
        var (target, key) = (new MemoryTarget(), encrypted ? Key : null);
        Assert.Null(await new DrillRecord(target, key).ReadAsync(Cluster, cancelled));
        await new DrillRecord(target, key).WriteAsync(Cluster, Held with { Problem = "an earlier one" }, cancelled);
        await new DrillRecord(target, key).WriteAsync(Cluster, Held, cancelled);
        Assert.Equal(0, await new BackupCatalogue(target, key).CollectGarbageAsync(Cluster, DateTimeOffset.MaxValue, cancelled));
        Assert.Empty((await new BackupCatalogue(target, key).ReadAsync("", cancelled)).Unusable);
        Assert.Equal(Held, await new DrillRecord(target, key).ReadAsync(Cluster, cancelled));
    }

    [Fact]
    public async Task A_record_that_was_changed_copied_or_made_without_the_key_counts_for_nothing()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var target = new MemoryTarget();
        await new DrillRecord(target, null).WriteAsync(Cluster, Held, cancelled);
        var (name, made) = Assert.Single(target.Objects);
        Assert.Null(await new DrillRecord(target, Key).ReadAsync(Cluster, cancelled));
        target.Objects[name.Replace(Cluster, "00000000000000bb", StringComparison.Ordinal)] = made;
        Assert.Null(await new DrillRecord(target, null).ReadAsync("00000000000000bb", cancelled));
        for (var at = 0; at < made.Length - 1; at++)
        {
            target.Objects[name] = [.. made[..at], (byte)(made[at] ^ 4), .. made[(at + 1)..]];
            Assert.Null(await new DrillRecord(target, null).ReadAsync(Cluster, cancelled));
        }
        target.Objects[name] = [];
        Assert.Null(await new DrillRecord(target, null).ReadAsync(Cluster, cancelled));
    }
}
