using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Operator.Tests;

/// <summary>What the chart ships for Prometheus and Grafana. Needs promtool, which comes with Debian's Prometheus, and says so when it is not there.</summary>
public sealed partial class MonitoringTests
{
    static readonly string Monitoring = Repository.At("charts", "store-operator", "monitoring");

    [Fact]
    public Task Prometheus_accepts_the_alert_rules() => PromtoolAsync("check", "rules", "--lint-fatal", Path.Combine(Monitoring, "rules.yaml"));

    [Fact]
    public Task Alerts_come_when_they_should_and_not_before() => PromtoolAsync("test", "rules", Repository.At("tests", "Operator.Tests", "Chart", "alerts.test.yaml"));

    [Fact]
    public async Task Prometheus_accepts_every_expression_of_the_dashboards()
    {
        var rules = new { groups = new[] { new { name = "dashboards", rules = Expressions().Select((expr, number) => new { record = $"panel_{number}", expr }) } } };
        var file = Path.Combine(Path.GetTempPath(), $"dashboards-{Guid.NewGuid():n}.yaml");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(rules), TestContext.Current.CancellationToken);
        try
        {
            await PromtoolAsync("check", "rules", file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Alerts_and_dashboards_name_no_metric_of_ours_that_does_not_exist()
    {
        var telemetry = string.Concat(Directory.GetFiles(Repository.At("operator", "Operator.Controller", "Hosting"), "*.cs").Select(File.ReadAllText)) + File.ReadAllText(Repository.At("store", "Store.Agent", "Hosting", "AgentMetrics.cs"));
        var texts = Expressions().Append(File.ReadAllText(Path.Combine(Monitoring, "rules.yaml")));
        var named = texts.SelectMany(text => OwnMetric().Matches(text)).Select(match => HistogramPart().Replace(match.Value, "")).Distinct().ToList();
        Assert.NotEmpty(named);
        Assert.All(named, metric => Assert.Contains($"\"{metric}\"", telemetry, StringComparison.Ordinal));
    }

    /// <summary>As Grafana would send them, with everything chosen.</summary>
    static List<string> Expressions() =>
    [
        .. from file in Directory.GetFiles(Path.Combine(Monitoring, "dashboards"), "*.json").Order(StringComparer.Ordinal)
           from panel in JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("panels").EnumerateArray()
           from target in panel.GetProperty("targets").EnumerateArray()
           select GrafanaVariable().Replace(target.GetProperty("expr").GetString()!.Replace("$__rate_interval", "1m", StringComparison.Ordinal), ".*"),
    ];

    static async Task PromtoolAsync(params string[] arguments)
    {
        Assert.SkipUnless(Promtool is not null, "promtool is not on the PATH");
        using var process = Process.Start(new ProcessStartInfo(Promtool!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await output + await error);
    }

    static string? Promtool => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "promtool")).FirstOrDefault(File.Exists);

    [GeneratedRegex(@"\$[a-z]+")]
    private static partial Regex GrafanaVariable();

    [GeneratedRegex(@"\b(storeoperator|store_backup|controller_runtime|workqueue|rest_client|leader_election)_[a-z_]+")]
    private static partial Regex OwnMetric();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();
}
