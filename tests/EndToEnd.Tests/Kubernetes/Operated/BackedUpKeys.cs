using System.Globalization;
using System.Text.Json;

namespace EndToEnd.Tests;

/// <summary>The few keys that tests of backups write, and how far they are backed up.</summary>
static class BackedUpKeys
{
    public static async Task WriteAsync(string endpoint, string value)
    {
        for (var key = 0; key < 8; key++) (await Etcdctl.RunAsync("3.5", endpoint, ["put", $"key-{key}", $"{value} {key}"])).Succeeded();
        (await Etcdctl.RunAsync("3.5", endpoint, ["put", value, value])).Succeeded();
    }

    public static async Task<string> ReadAllAsync(string endpoint) => (await Etcdctl.RunAsync("3.5", endpoint, ["get", "", "--prefix"])).Succeeded().Output;

    public static async Task<long> RevisionAsync(string endpoint)
    {
        var answer = (await Etcdctl.RunAsync("3.5", endpoint, ["get", "none", "-w", "json"])).Succeeded().Output;
        return long.Parse(JsonDocument.Parse(answer).RootElement.GetProperty("header").GetProperty("revision").ToString(), CultureInfo.InvariantCulture);
    }

    /// <summary>Until all that was written can be restored: a write is of the moment at which an agent has it.</summary>
    public static async Task BackedUpAsync(string cluster, string endpoint, TimeSpan within)
    {
        var revision = await RevisionAsync(endpoint);
        await Kubectl.UntilAsync(async () => await RecoverableAsync(cluster) is var recoverable && recoverable < revision ? $"revision {revision} was not backed up, only {recoverable}" : null, within);
    }

    static async Task<long> RecoverableAsync(string cluster) =>
        JsonDocument.Parse(await Kubectl.RunAsync("get", "--raw", $"/api/v1/namespaces/default/pods/{cluster}-1-0:2385/proxy/status")).RootElement.GetProperty("recoverableRevision").GetInt64();
}
