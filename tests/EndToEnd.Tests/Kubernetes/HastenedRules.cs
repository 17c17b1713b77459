using LocalCluster;

namespace EndToEnd.Tests;

/// <summary>The chart's alerts as they are shipped, but for how long each waits. How long they should wait is what `promtool test rules` tests, on a clock of its own.</summary>
static class HastenedRules
{
    static readonly string Shipped = File.ReadAllText(Path.Combine(Binaries.RepositoryRoot, "charts/store-operator/monitoring/rules.yaml"));

    /// <summary>One alert alone.</summary>
    /// <param name="wait">In place of its `for`.</param>
    /// <param name="threshold">What its expression compares with, as the shipped text has it, and what instead; null leaves it.</param>
    public static string Of(string alert, string wait, (string Shipped, string Instead)? threshold = null)
    {
        var lines = Shipped.Split('\n').SkipWhile(line => line.Trim() != $"- alert: {alert}").ToList();
        var rule = lines.Take(1).Concat(lines.Skip(1).TakeWhile(line => !line.TrimStart().StartsWith("- ", StringComparison.Ordinal))).ToList();
        if (rule.Count == 0 || rule.FindIndex(line => line.TrimStart().StartsWith("for: ", StringComparison.Ordinal)) is not (>= 0 and var waiting)) throw new InvalidOperationException($"rules.yaml has no alert {alert} with a `for`");
        rule[waiting] = $"{rule[waiting][..rule[waiting].IndexOf("for:", StringComparison.Ordinal)]}for: {wait}";
        var text = string.Join('\n', rule);
        if (threshold is { } change)
        {
            if (!text.Contains(change.Shipped, StringComparison.Ordinal)) throw new InvalidOperationException($"alert {alert} does not say {change.Shipped}");
            text = text.Replace(change.Shipped, change.Instead, StringComparison.Ordinal);
        }

        return $"groups:\n  - name: hastened\n    rules:\n{text}\n";
    }
}
