namespace Store.Raft.Tests;

/// <summary>Raft §5.3, log replication.</summary>
public sealed class ReplicationTests
{
    /// <summary>§5.3</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void A_command_is_applied_everywhere_once_a_majority_has_it(int members)
    {
        var cluster = new TestCluster(members);
        cluster.Elect(1);
        Assert.Equal(ProposeError.None, cluster.Propose(1, "a", "b"));
        cluster.Stabilize();
        foreach (var member in cluster.Members.Values) Assert.Equal(["a", "b"], member.AppliedCommands);
    }

    /// <summary>§6.4 of the dissertation</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_read_is_answered_with_the_commit_index_of_a_confirmed_leader(int members)
    {
        var cluster = new TestCluster(members);
        cluster.Elect(1);
        cluster.Propose(1, "a");
        cluster.Stabilize();
        cluster[members].Node.ReadIndex(42);
        cluster.Stabilize();
        Assert.Equal([new ReadState(42, new(2))], cluster[members].Reads);
    }
}
