using System.Diagnostics;
using System.Text.Json;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>The cluster of KUBECONFIG, as a person at a terminal sees it.</summary>
static class Kubectl
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static Task<ShellResult> TryAsync(params string[] arguments) => Shell.RunAsync("kubectl", arguments, null, TimeSpan.FromMinutes(2), cancellationToken: Stop);

    /// <summary>What it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds the command and what it said.</exception>
    public static async Task<string> RunAsync(params string[] arguments) => (await TryAsync(arguments)).Succeeded().Output;

    public static async Task<JsonElement> GetAsync(params string[] what) => JsonDocument.Parse(await RunAsync(["get", "-o", "json", .. what])).RootElement;

    public static async Task ApplyAsync(string yaml) => (await FileAsync("apply", yaml)).Succeeded();

    /// <summary>Looks four times a second.</summary>
    /// <param name="lacking">What is still missing; null when nothing is.</param>
    public static async Task UntilAsync(Func<Task<string?>> lacking, TimeSpan within)
    {
        var waited = Stopwatch.StartNew();
        while (await lacking() is { } lack)
        {
            Assert.True(waited.Elapsed < within, lack);
            await Task.Delay(TimeSpan.FromMilliseconds(250), Stop);
        }
    }

    public static Task<ShellResult> FileAsync(string verb, string yaml) =>
        Shell.RunAsync("kubectl", [verb, "-f", "-"], null, TimeSpan.FromMinutes(1), yaml, Stop);
}
