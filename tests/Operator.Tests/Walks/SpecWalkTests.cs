using Xunit;

namespace Operator.Tests;

/// <summary>Random walks through the StoreCluster's schema. SPEC_WALKS says how many, SPEC_WALK_STEPS how long, SPEC_WALK_SEED the first; SPEC_WALK_STORY tells them all.</summary>
public sealed class SpecWalkTests(ITestOutputHelper output)
{
    [Fact]
    public void Whatever_is_asked_one_after_the_other_ends_where_a_fresh_cluster_would()
    {
        var walks = new WalkRun("SPEC_WALK", walks: 2, steps: 8);
        var (steps, refused) = (0, 0);
        walks.Play(output, nameof(SpecWalkTests), seed => new SpecWalk(seed), walk => (steps, refused) = (steps + walk.Steps, refused + walk.Refused));
        output.WriteLine($"{steps} wishes, {refused} refused by the API server");
    }
}
