using System.Globalization;
using Xunit;

namespace Operator.Tests;

/// <summary>One walk. It tells what was done, for a failure's message.</summary>
interface IWalk : IDisposable
{
    string Story { get; }

    void Run(int steps);
}

/// <summary>Many walks of one kind, each with a seed of its own that plays it again.</summary>
/// <param name="variables">What the names of its environment variables begin with: NAMES (how many), NAME_STEPS, NAME_SEED (the first), NAME_FAILURES (how many are shown), NAME_STORY (shows all).</param>
sealed class WalkRun(string variables, int walks, int steps)
{
    readonly int number = Number($"{variables}S", walks);
    readonly int first = Number($"{variables}_SEED", 1);
    readonly int shown = Number($"{variables}_FAILURES", 1);

    readonly int steps = Number($"{variables}_STEPS", steps);

    /// <param name="make">The walk of a seed.</param>
    /// <param name="count">Is given each afterwards, one at a time.</param>
    public void Play<T>(ITestOutputHelper output, string tests, Func<int, T> make, Action<T> count) where T : IWalk
    {
        var failures = new SortedDictionary<int, string>();
        var stories = new SortedDictionary<int, string>();
        Parallel.For(first, first + number, seed =>
        {
            using var walk = make(seed);
            var failure = Record.Exception(() => walk.Run(steps));
            lock (failures)
            {
                count(walk);
                stories[seed] = walk.Story;
                if (failure is not null) failures[seed] = $"{(failure is Xunit.Sdk.IAssertionException ? failure.Message : failure)}\n{stories[seed]}\nreplay: {variables}_SEED={seed} {variables}S=1 {variables}_STEPS={steps} dotnet run --project tests/Operator.Tests -- -class '*{tests}'";
            }
        });

        if (Environment.GetEnvironmentVariable($"{variables}_STORY") is not null) stories.Values.ToList().ForEach(output.WriteLine);
        output.WriteLine($"{number} walks from seed {first}: {failures.Count} failed{(failures.Count == 0 ? "" : $": {string.Join(", ", failures.Keys)}")}");
        if (failures.Count > 0) Assert.Fail($"{failures.Count} of {number} walks failed:\n{string.Join("\n\n", failures.Values.Take(shown))}");
    }

    static int Number(string variable, int fallback) => int.Parse(Environment.GetEnvironmentVariable(variable) ?? $"{fallback}", CultureInfo.InvariantCulture);
}
