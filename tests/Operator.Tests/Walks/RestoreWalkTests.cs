using Xunit;

namespace Operator.Tests;

/// <summary>StoreRestores at random. RESTORE_WALKS says how many walks, RESTORE_WALK_STEPS how long, RESTORE_WALK_SEED the first; RESTORE_WALK_STORY tells them all.</summary>
public sealed class RestoreWalkTests(ITestOutputHelper output)
{
    [Fact]
    public void Whatever_is_taken_back_one_epoch_alone_serves_and_the_cluster_works_on()
    {
        var walks = new WalkRun("RESTORE_WALK", walks: 3, steps: 5);
        var restored = 0;
        walks.Play(output, nameof(RestoreWalkTests), seed => new RestoreWalk(seed), walk => restored += walk.Restored);
        output.WriteLine($"{restored} clusters were taken back");
    }
}
