using LocalCluster;

namespace EndToEnd.Tests;

/// <summary>`promtool check metrics`, of Debian's prometheus.</summary>
static class Promtool
{
    /// <summary>What its linter has against a scraped text, one line a complaint such as <c>up_total non-counter metrics should not have "_total" suffix</c>.</summary>
    /// <exception cref="InvalidOperationException">Prometheus cannot read it.</exception>
    public static async Task<IReadOnlyList<string>> CheckMetricsAsync(string scraped)
    {
        var result = await Shell.RunAsync("promtool", ["check", "metrics"], null, TimeSpan.FromSeconds(30), scraped);
        // 3: read, with complaints.
        if (result.ExitCode is not (0 or 3)) result.Succeeded();
        return result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
