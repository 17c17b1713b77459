using System.Globalization;
using Xunit;

namespace Operator.Tests;

/// <summary>The operator dies before and after every change that it asks for, and its successor brings the same end about.</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    /// <summary>Every n-th crash point of a scenario; 1 is all of them. By default those of a long scenario are thinned out, or one alone would take minutes.</summary>
    static int Stride(Scenario scenario, int writes) =>
        Environment.GetEnvironmentVariable("CRASH_STRIDE") is { } given ? int.Parse(given, CultureInfo.InvariantCulture) : (1 + (writes / 60)) * scenario.Thinning;

    public static TheoryData<string> Scenarios => [.. Scenario.Played];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void A_crash_at_any_write_changes_nothing_in_the_end(string name)
    {
        var scenario = Scenario.Of(name);
        using var undisturbed = new Simulation();
        scenario.Play(undisturbed);
        var wanted = WorldState.Of(undisturbed);
        var writes = undisturbed.Writes.Writes;
        output.WriteLine($"{writes.Count} writes: {string.Join(", ", writes)}");
        var deaths = from write in Enumerable.Range(0, writes.Count)
                     where write % Stride(scenario, writes.Count) == 0
                     from before in new[] { true, false }
                     select (write, before);
        // Each death has a world of its own.
        var failures = deaths.AsParallel().AsOrdered().Select(death => Failure(scenario, wanted, death.write, death.before, $"{writes[death.write]}")).Where(failure => failure is not null).ToList();
        Assert.True(failures.Count == 0, failures.FirstOrDefault());
    }

    /// <summary>What went otherwise; null when nothing did.</summary>
    static string? Failure(Scenario scenario, string wanted, int write, bool before, string what)
    {
        var at = $"death {(before ? "before" : "after")} write {write} ({what})";
        using var simulation = new Simulation();
        simulation.Writes.CrashAt = (write, before);
        return Record.Exception(() =>
        {
            scenario.Play(simulation);
            Assert.Equal(1, simulation.Crashes);
            Same(wanted, WorldState.Of(simulation), at);
        }) is { } failure ? $"{at}: {failure.Message}" : null;
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void At_rest_nothing_is_written(string name)
    {
        using var simulation = new Simulation();
        Scenario.Of(name).Play(simulation);
        var writes = simulation.Writes.Writes.Count;
        simulation.Run(TimeSpan.FromMinutes(10));
        Assert.Empty(simulation.Writes.Writes.Skip(writes));
    }

    internal static void Same(string wanted, string actual, string when)
    {
        if (wanted == actual) return;
        var (left, right) = (wanted.Split('\n'), actual.Split('\n'));
        var first = Enumerable.Range(0, Math.Min(left.Length, right.Length)).FirstOrDefault(line => left[line] != right[line], Math.Min(left.Length, right.Length));
        static string Around(string[] lines, int line) => string.Join('\n', lines[Math.Max(0, line - 12)..Math.Min(lines.Length, line + 6)]);
        Assert.Fail($"{when}: the end differs. Wanted:\n{Around(left, first)}\nbut is:\n{Around(right, first)}");
    }
}
