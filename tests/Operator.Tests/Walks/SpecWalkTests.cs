using System.Globalization;
using Xunit;

namespace Operator.Tests;

/// <summary>Random walks through the StoreCluster's schema. SPEC_WALKS says how many, SPEC_WALK_STEPS how long, SPEC_WALK_SEED the first; SPEC_WALK_STORY tells them all.</summary>
public sealed class SpecWalkTests(ITestOutputHelper output)
{
    static readonly int Walks = Number("SPEC_WALKS", 6);
    static readonly int Steps = Number("SPEC_WALK_STEPS", 8);
    static readonly int Shown = Number("SPEC_WALK_FAILURES", 1);
    static readonly int First = Number("SPEC_WALK_SEED", 1);

    [Fact]
    public void Whatever_is_asked_one_after_the_other_ends_where_a_fresh_cluster_would()
    {
        var (steps, refused) = (0, 0);
        var failures = new SortedDictionary<int, string>();
        var stories = new List<string>();
        Parallel.For(First, First + Walks, seed =>
        {
            using var walk = new SpecWalk(seed);
            var failure = Record.Exception(() => walk.Run(Steps));
            lock (failures)
            {
                (steps, refused) = (steps + walk.Steps, refused + walk.Refused);
                stories.Add(walk.Story);
                if (failure is not null) failures[seed] = $"{failure.Message}\n{walk.Story}\nreplay: SPEC_WALK_SEED={seed} SPEC_WALKS=1 SPEC_WALK_STEPS={Steps} dotnet run --project tests/Operator.Tests -- -class '*SpecWalkTests'";
            }
        });

        if (Environment.GetEnvironmentVariable("SPEC_WALK_STORY") is not null) stories.ForEach(output.WriteLine);
        output.WriteLine($"{Walks} walks from seed {First}: {steps} wishes, {refused} refused by the API server, {failures.Count} walks failed");
        if (failures.Count > 0) Assert.Fail($"{failures.Count} of {Walks} walks failed:\n{string.Join("\n\n", failures.Values.Take(Shown))}");
    }

    static int Number(string variable, int fallback) => int.Parse(Environment.GetEnvironmentVariable(variable) ?? $"{fallback}", CultureInfo.InvariantCulture);
}
