namespace Store.Raft.Tests;

/// <summary>Figure 3 of the paper under random misfortune. STORE_RAFT_SEED=n replays one seed; STORE_RAFT_SEEDS=n runs that many.</summary>
public sealed class RandomizedClusterTests
{
    [Fact]
    public void What_Raft_promises_holds_under_loss_reordering_crashes_and_changes_of_membership()
    {
        var only = Environment.GetEnvironmentVariable("STORE_RAFT_SEED");
        var count = int.Parse(Environment.GetEnvironmentVariable("STORE_RAFT_SEEDS") ?? "400");
        var seeds = only is null ? Enumerable.Range(1, count) : [int.Parse(only)];
        var committed = 0;
        foreach (var seed in seeds)
        {
            try
            {
                var walk = new RandomWalk(seed);
                walk.Run(steps: 2_500);
                committed += walk.CommittedCount;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed} (replay: STORE_RAFT_SEED={seed} dotnet run --project tests/Store.Raft.Tests): {e}");
            }
        }
        Assert.True(only is not null || committed > count * 10, $"the walks committed only {committed} entries: they test nothing");
    }
}
