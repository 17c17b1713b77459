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
        for (var write = 0; write < writes.Count; write += Stride(scenario, writes.Count))
        {
            foreach (var before in new[] { true, false })
            {
                var at = $"death {(before ? "before" : "after")} write {write} ({writes[write]})";
                using var simulation = new Simulation();
                simulation.Writes.CrashAt = (write, before);
                var failure = Record.Exception(() => scenario.Play(simulation));
                Assert.True(failure is null, $"{at}: {failure?.Message}");
                Assert.Equal(1, simulation.Crashes);
                Same(wanted, WorldState.Of(simulation), at);
            }
        }
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
