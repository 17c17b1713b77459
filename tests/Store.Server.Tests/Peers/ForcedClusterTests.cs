using Store.Raft;
using Xunit;

namespace Store.Server.Tests;

/// <summary>Which entries --force-new-cluster adds to a log.</summary>
public class ForcedClusterTests
{
    static readonly NodeId One = new(1), Two = new(2), Three = new(3);

    [Fact]
    public void All_others_are_removed_in_a_new_term_and_that_is_committed()
    {
        var start = Start([One, Two, Three], [], Entry(4), Entry(5));
        var forced = ForcedCluster.Entries(start, Two)!;
        Assert.Equal(["Remove 1", "Remove 3"], forced.Entries.Select(Text));
        Assert.Equal([6UL, 7UL], forced.Entries.Select(entry => entry.Index.Value));
        Assert.Equal(new HardState(new(8), NodeId.None, new(7)), forced.HardState);
        var after = ForcedCluster.Append(start, forced);
        Assert.Equal([4UL, 5UL, 6UL, 7UL], after.Entries.Select(entry => entry.Index.Value));
        Assert.Equal(forced.HardState, after.HardState);
    }

    [Fact]
    public void A_learner_promotes_itself_first() =>
        Assert.Equal(["Promote 3", "Remove 1"], ForcedCluster.Entries(Start([One], [Three]), Three)!.Entries.Select(Text));

    [Fact]
    public void Changes_that_stand_in_the_log_behind_the_state_count()
    {
        var start = Start([One], [], Change(4, ConfigChangeKind.AddVoter, Two), Change(5, ConfigChangeKind.AddLearner, Three), Change(6, ConfigChangeKind.Remove, Two));
        Assert.Equal(["Remove 3"], ForcedCluster.Entries(start, One)!.Entries.Select(Text));
    }

    [Fact]
    public void A_member_that_is_alone_already_changes_nothing() => Assert.Null(ForcedCluster.Entries(Start([One], []), One));

    [Fact]
    public void Who_is_no_member_is_refused() => Assert.Throws<BootException>(() => ForcedCluster.Entries(Start([One, Two], []), Three));

    /// <summary>The log begins behind 3, where the state is, too; the member has seen term 7.</summary>
    static RaftStart Start(NodeId[] voters, NodeId[] learners, params Entry[] entries)
    {
        var config = new MembershipConfig([.. voters], [.. learners]);
        return new(new(new(7), Two, new(4)), new(new(3), new(2), config), entries, new(3), config);
    }

    static Entry Entry(ulong index) => new(new(7), new(index), EntryKind.Normal, new byte[] { 1 });

    static Entry Change(ulong index, ConfigChangeKind kind, NodeId id) => new(new(7), new(index), EntryKind.ConfigChange, new ConfigChange(kind, id, default).Encode());

    static string Text(Entry entry)
    {
        var change = ConfigChange.Decode(entry.Data);
        return $"{change.Kind} {change.Node.Value}";
    }
}
