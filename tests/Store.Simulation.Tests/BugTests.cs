using Xunit;

namespace Store.Simulation.Tests;

/// <summary>The checks are worth what they catch: each deliberate mistake must be seen within a bounded number of seeds.</summary>
public sealed class BugTests
{
    const int SeedsMax = 600;

    public static TheoryData<Bug> Bugs => [.. Enum.GetValues<Bug>().Where(bug => bug != Bug.None)];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void A_deliberate_mistake_is_caught(Bug bug)
    {
        for (var seed = 1; seed <= SeedsMax; seed++)
        {
            try
            {
                World.Run(new() { Seed = seed, Bug = bug });
            }
            catch (SimulationFailureException caught)
            {
                TestContext.Current.SendDiagnosticMessage($"{bug} is caught by seed {seed}: {caught.Message}");
                return;
            }
        }
        Assert.Fail($"{SeedsMax} seeds did not see {bug}");
    }
}
