using Xunit;
using static Store.Agent.Tests.ManifestOf;

namespace Store.Agent.Tests;

public sealed class RecoveryPlanTests
{
    static string Chain(IReadOnlyCollection<Manifest> backups, RecoveryTarget target) => RecoveryPlan.Find(backups, target, out var why) is { } plan
        ? $"{string.Join(' ', plan.Chain.Select(backup => backup.IsFull ? $"{backup.To}" : $"{backup.From}-{backup.To}"))} until {plan.Until}"
        : why;

    static string At(long revision, params Manifest[] backups) => Chain(backups, new RecoveryTarget.Revision(revision));

    [Fact]
    public void A_chain_begins_at_the_newest_full_backup_before_the_revision() =>
        Assert.Equal("200 200-210 210-220 until 215", At(215, Full(100), Delta(100, 200), Full(200), Delta(200, 210), Delta(210, 220), Delta(220, 230)));

    [Fact]
    public void A_full_backup_that_is_missing_is_bridged_by_deltas() =>
        Assert.Equal("100 100-200 200-210 until 210", At(210, Full(100), Delta(100, 200), Delta(200, 210)));

    [Fact]
    public void Merged_deltas_are_preferred_to_what_they_were_made_of_and_overlaps_do_no_harm() =>
        Assert.Equal("100 100-160 150-200 until 200", At(200, Full(100), Delta(100, 110), Delta(110, 150), Delta(100, 160, level: 1), Delta(150, 200)));

    [Fact]
    public void A_gap_is_not_stepped_over_but_a_later_full_backup_may_hold_the_revision()
    {
        Assert.Equal("200 until 150", At(150, Full(100), Delta(100, 120), Delta(130, 160), Full(200, compacted: 140)));
        Assert.StartsWith("no backup holds revision 125; the newest that can be restored is revision 200", At(125, Full(100), Delta(100, 120), Full(200, compacted: 140)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_latest_is_what_can_be_reached_however_much_lies_behind_a_gap() =>
        Assert.Equal("100 100-120 until 120", Chain([Full(100), Delta(100, 120), Delta(130, 160)], new RecoveryTarget.Latest()));

    [Fact]
    public void A_moment_is_the_last_known_one_before_it()
    {
        Manifest[] backups = [Full(100, at: 0), Delta(100, 120, at: 1), Delta(120, 140, at: 2)];
        Assert.Equal("100 100-120 until 120", Chain(backups, new RecoveryTarget.Time(Time(1.9))));
        Assert.Equal("100 100-120 120-140 until 140", Chain(backups, new RecoveryTarget.Time(Time(2))));
        Assert.StartsWith("no backup is from 2026-11-23T00:29:00.000Z or before", Chain(backups, new RecoveryTarget.Time(Time(-1.0 / 60))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_merged_delta_still_knows_the_moments_in_it()
    {
        var merged = Delta(100, 140, at: 2) with { Points = DeltaMerging.Points([Delta(100, 120, at: 1), Delta(120, 140, at: 2)]) };
        Assert.Equal("100 100-140 until 120", Chain([Full(100), merged], new RecoveryTarget.Time(Time(1.5))));
    }

    [Fact]
    public void In_place_of_a_damaged_one_the_chain_goes_as_far_as_it_is_sound()
    {
        Manifest[] backups = [Full(50), Full(100), Delta(100, 120), Delta(120, 140), Delta(140, 160)];
        string Without(params int[] damaged) =>
            RecoveryPlan.Newest(backups)!.Avoid([.. damaged.Select(index => backups[index])], backups) is { } plan ? $"{plan.Chain[^1].From}-{plan.Chain[^1].To} until {plan.Until}" : "nothing";
        Assert.Equal("120-140 until 140", Without(4));
        Assert.Equal("100-120 until 120", Without(3));
        Assert.Equal("0-100 until 100", Without(2));
        Assert.Equal("0-50 until 50", Without(1));
        Assert.Equal("nothing", Without(0, 1));
    }

    [Fact]
    public void Leases_alone_that_are_damaged_cost_the_revision_that_they_came_with()
    {
        var quiet = Delta(120, 120, at: 2) with { AppliedIndex = 999 };
        Manifest[] backups = [Full(100), Delta(100, 120, at: 1), quiet];
        Assert.Equal(119, RecoveryPlan.Newest(backups)!.Avoid([quiet], backups)!.Until);
    }

    [Fact]
    public void What_merging_left_behind_leads_around_a_damaged_one_as_far_as_it_is_chosen()
    {
        Manifest[] backups = [Full(100), Delta(100, 110), Delta(110, 130), Delta(100, 130, level: 1)];
        Assert.Equal(110, RecoveryPlan.Newest(backups)!.Avoid([backups[3]], backups)!.Until);
    }

    [Fact]
    public void What_changed_without_a_revision_comes_last()
    {
        var quiet = Delta(120, 120, at: 2) with { AppliedIndex = 999 };
        Assert.Equal("100 100-120 120-120 until 120", Chain([Full(100), Delta(100, 120, at: 1), quiet], new RecoveryTarget.Latest()));
    }

    [Fact]
    public void Backups_of_two_histories_never_make_one_state()
    {
        Manifest[] backups =
        [
            Full(100, at: 0), Delta(100, 120, at: 1), Full(90, at: 2) with { History = "put back" }, Delta(90, 100, at: 3) with { History = "put back" },
            Delta(100, 130, at: 4) with { History = "put back" },
        ];
        Assert.Equal("90 90-100 100-130 until 130", Chain(backups, new RecoveryTarget.Latest()));
        Assert.Equal("90 90-100 100-130 until 120", At(120, backups));
        Assert.Equal("100 100-120 until 120", Chain(backups, new RecoveryTarget.Time(Time(1.5))));
        Assert.Equal("90 until 90", Chain(backups, new RecoveryTarget.Time(Time(2.5))));
    }

    [Fact]
    public void Without_a_full_backup_there_is_nothing() => Assert.Equal("there is no full backup", Chain([Delta(1, 2)], new RecoveryTarget.Latest()));

    [Fact]
    public void Thirty_two_deltas_of_a_level_in_a_row_are_merged()
    {
        var deltas = Enumerable.Range(0, DeltaMerging.RunLength).Select(i => Delta(100 + i, 101 + i)).ToList();
        Assert.Null(DeltaMerging.Next(deltas.Skip(1)));
        Assert.Equal(deltas, DeltaMerging.Next([.. deltas, Delta(500, 501), Full(100)]));
        // With a gap the count begins anew.
        Assert.Null(DeltaMerging.Next(deltas.Where(delta => delta.From != 110)));
        Assert.Null(DeltaMerging.Next(deltas.Select((delta, i) => delta with { Level = i % 2 })));
    }
}
