using Xunit;
using static Store.Agent.Tests.ManifestOf;

namespace Store.Agent.Tests;

/// <summary>Which backup is due, and whose turn it is.</summary>
public sealed class DecisionTests
{
    static readonly BackupSchedule Schedule = new(TimeSpan.FromHours(6), TimeSpan.FromSeconds(2));

    static MemberStatus Member(ulong id, long revision = 100, ulong? applied = null, bool leads = false, bool hasLeader = true, bool learns = false) =>
        new(BackedUpMachine.Cluster, id, revision, applied ?? (ulong)revision, hasLeader, leads, learns);

    static NextBackup Decide(MemberStatus member, double secondsLater, params Manifest[] backups) => NextBackup.Decide(backups, member, Schedule, Time(0).AddSeconds(secondsLater), isFullUnderWay: false);

    [Fact]
    public void The_first_backup_is_a_full_one() => Assert.IsType<NextBackup.Full>(Decide(Member(1), 0));

    [Fact]
    public void A_delta_is_due_when_there_are_writes_and_the_interval_is_over()
    {
        var full = Full(100);
        Assert.IsType<NextBackup.Nothing>(Decide(Member(1, 100), 9, full));
        Assert.IsType<NextBackup.Nothing>(Decide(Member(1, 101), 1, full));
        Assert.Equal(new NextBackup.Delta(full), Decide(Member(1, 101), 2, full));
    }

    [Fact]
    public void A_change_without_a_revision_waits_longer()
    {
        Assert.IsType<NextBackup.Nothing>(Decide(Member(1, 100, applied: 101), 29, Full(100)));
        Assert.IsType<NextBackup.Delta>(Decide(Member(1, 100, applied: 101), 30, Full(100)));
    }

    [Fact]
    public void A_full_backup_is_due_again_after_its_interval() => Assert.IsType<NextBackup.Full>(Decide(Member(1, 100), 6 * 3600, Full(100)));

    [Fact]
    public void Deltas_go_on_while_a_full_backup_is_under_way()
    {
        Assert.IsType<NextBackup.Delta>(NextBackup.Decide([Full(100)], Member(1, 101), Schedule, Time(7), isFullUnderWay: true));
        Assert.IsType<NextBackup.Nothing>(NextBackup.Decide([], Member(1, 101), Schedule, Time(7), isFullUnderWay: true));
    }

    [Fact]
    public void While_the_first_full_backup_of_a_history_is_stored_deltas_go_on_from_where_it_will_end()
    {
        var (begun, delta) = (Full(100), Delta(100, 110, at: 1));
        NextBackup While(Manifest begun, params Manifest[] backups) => NextBackup.Decide(backups, Member(1, 120), Schedule, Time(7), isFullUnderWay: true, begun);
        Assert.Equal(new NextBackup.Delta(begun), While(begun));
        Assert.Equal(new NextBackup.Delta(delta), While(begun, delta));
        // Of an earlier history nothing leads on.
        Assert.Equal(new NextBackup.Delta(delta), While(begun, Full(90) with { History = "earlier" }, delta));
        Assert.Null(RecoveryPlan.Newest([delta]));
    }

    /// <summary>Should the full one fail, no revision is missing.</summary>
    [Fact]
    public void While_a_later_full_backup_is_stored_deltas_go_on_from_what_is_there()
    {
        var (first, last) = (Full(100), Delta(100, 110, at: 1));
        Assert.Equal(new NextBackup.Delta(last), NextBackup.Decide([first, last], Member(1, 130), Schedule, Time(7), isFullUnderWay: true, begun: Full(120, at: 2)));
    }

    [Fact]
    public void Followers_come_first_and_the_leader_last()
    {
        MemberStatus[] members = [Member(1, leads: true), Member(2), Member(3), Member(4, learns: true), Member(5, hasLeader: false)];
        Assert.Equal([2, 0, 1, null, null, null], new ulong[] { 1, 2, 3, 4, 5, 6 }.Select(id => Turn.RankOf(id, members)));
        Assert.Equal(0, Turn.RankOf(1, [Member(1, leads: true)]));
    }

    [Fact]
    public void Who_is_behind_takes_the_turn_when_a_backup_stays_due()
    {
        var now = Time(0);
        var delta = new NextBackup.Delta(Full(1));
        Assert.True(Turn.IsMine(0, null, now, delta));
        Assert.False(Turn.IsMine(1, null, now, delta));
        Assert.False(Turn.IsMine(1, now - Turn.Patience / 2, now, delta));
        Assert.True(Turn.IsMine(1, now - Turn.Patience, now, delta));
        Assert.False(Turn.IsMine(1, now - Turn.Patience, now, new NextBackup.Full("")));
        Assert.False(Turn.IsMine(2, now - Turn.Patience, now, delta));
        Assert.False(Turn.IsMine(null, now - 100 * Turn.Patience, now, delta));
    }
}
