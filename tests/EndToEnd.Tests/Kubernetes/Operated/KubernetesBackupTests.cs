using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A cluster and its volumes are lost, and come back from a bucket.</summary>
[Collection<KubernetesInstallation>]
public sealed class KubernetesBackupTests(KubernetesDemo demo)
{
    const string Name = "kept", Earlier = "kept-earlier", Denied = "denied", Mistaken = "mistaken", ByName = "kept-by-name", Now = "kept-now", Minutely = "kept-minutely", Secret = "kept-backup", Wrong = "kept-wrong";

    static readonly TimeSpan Soon = TimeSpan.FromMinutes(1.5);

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_deleted_cluster_comes_back_with_everything_and_as_it_was_at_a_moment()
    {
        demo.RequireKubernetes();
        await using var bucket = await ObjectServer.StartAsync();
        try
        {
            await ObjectServer.CreateSecretAsync(Secret, "testsecret", '7');
            await ObjectServer.CreateSecretAsync(Wrong, "guessed", '8');
            await ApplyAsync(Denied, 1, Backup(bucket, Wrong, Secret, Denied));
            await ApplyAsync(Name, 1, Backup(bucket, Secret, Secret));
            await ReadyAsync(Name);
            var before = await OperatedCluster.UntilAsync("fresh backup", status => OperatedCluster.Condition(status, "BackupReady") == "True", Name, within: Soon);
            await BackUpEachMinuteAsync();

            await WriteAsync("first");
            var (earlier, moment) = (await ReadAllAsync(Name), DateTimeOffset.UtcNow);
            await WriteAsync("second");
            var last = await ReadAllAsync(Name);
            Assert.NotEqual(earlier, last);
            var revision = await RevisionAsync(Name);
            await BackUpNowAsync();
            await SaysAsync(Denied, "BackupReady", "Denied", "nothing is backed up");
            await MetricsTellAsync();
            await TheAlertFiresAndClearsAsync(bucket);
            await EachMinuteMadeOneAsync();

            await Kubectl.RunAsync("delete", "storecluster", Name, Denied, "--timeout=60s");
            await GoneAsync();
            await ApplyAsync(Name, 3, Restore(bucket, Secret, ""));
            await ApplyAsync(Mistaken, 1, Restore(bucket, Wrong, ""));
            await ApplyAsync(Earlier, 1, Restore(bucket, Secret, $"time: \"{moment.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\""));
            await ApplyAsync(ByName, 1, $"  bootstrap: {{restore: {{backup: {Now} }} }}");
            await SaysAsync(Mistaken, "Restored", "RestoreFailed", "encrypted with key");
            await ReadyAsync(Earlier);
            Assert.Equal(earlier, await ReadAllAsync(Earlier));
            await ReadyAsync(ByName);
            Assert.Equal(last, await ReadAllAsync(ByName));
            var after = await ReadyAsync(Name);
            Assert.Equal(last, await ReadAllAsync(Name));
            Assert.Equal("True", OperatedCluster.Condition(after, "Restored"));
            Assert.NotEqual(before.GetProperty("clusterId").GetString(), after.GetProperty("clusterId").GetString());
            Assert.InRange(await RevisionAsync(Name), revision + 1_000_000_000, long.MaxValue);
        }
        finally
        {
            await Kubectl.RunAsync("delete", "storecluster", Name, Earlier, ByName, Denied, Mistaken, "--ignore-not-found", "--timeout=60s");
            await Kubectl.RunAsync("delete", "storebackupschedule,storebackup", Minutely, Now, "--ignore-not-found", "--timeout=60s");
            await Kubectl.RunAsync("delete", "secret", Secret, Wrong, "--ignore-not-found");
        }
    }

    static Task BackUpEachMinuteAsync() => Kubectl.ApplyAsync($$"""
        apiVersion: storecluster.io/v1alpha1
        kind: StoreBackupSchedule
        metadata: {name: {{Minutely}}, namespace: default}
        spec: {cluster: {{Name}}, schedule: "* * * * *", timeZone: Europe/Lisbon}
        """);

    /// <summary>At the next full minute, that is, in the zone that the operator's image has to know.</summary>
    static async Task EachMinuteMadeOneAsync()
    {
        await UntilAsync(async () => (await Kubectl.GetAsync("storebackupschedule", Minutely)).GetProperty("status") is var status && status.TryGetProperty("lastSuccessfulTime", out _) ? null : $"no StoreBackup of the schedule succeeded: {status}");
        await UntilAsync(async () => await Kubectl.RunAsync("get", "events", "--field-selector", $"involvedObject.kind=StoreBackupSchedule,involvedObject.name={Minutely}", "-o", "jsonpath={.items[*].reason}") is var told
            && told.Contains("BackupCreated", StringComparison.Ordinal) && told.Contains("BackupSucceeded", StringComparison.Ordinal) ? null : $"the events of the schedule are: {told}");
        await Kubectl.RunAsync("delete", "storebackupschedule", Minutely, "--timeout=60s");
    }

    /// <summary>The operator's own of backups, as the one that leads has them.</summary>
    static async Task MetricsTellAsync()
    {
        var pods = (await Kubectl.GetAsync("pods", "-n", "store-system")).GetProperty("items").EnumerateArray().Select(pod => pod.GetProperty("metadata").GetProperty("name").GetString());
        var texts = await Task.WhenAll(pods.Select(pod => Kubectl.RunAsync("get", "--raw", $"/api/v1/namespaces/store-system/pods/{pod}:8080/proxy/metrics")));
        foreach (var metric in new[] { "last_recoverable_timestamp_seconds", "rpo_seconds", "last_full_timestamp_seconds", "last_full_size_bytes", "last_full_stored_bytes" })
            Assert.Contains($"storeoperator_backup_{metric}{{cluster=\"{Name}\",namespace=\"default\"}} ", string.Concat(texts), StringComparison.Ordinal);
        foreach (var text in texts) Assert.Empty(await Promtool.CheckMetricsAsync(text));
    }

    /// <summary>As it is shipped, but at once and not after a minute: for the cluster whose credentials are refused, and for no other; and no longer when it has others that are right.</summary>
    async Task TheAlertFiresAndClearsAsync(ObjectServer bucket)
    {
        if (!demo.ReachesPods) return;
        const string firing = "ALERTS{alertname=\"StoreBackupTooOld\",alertstate=\"firing\"}";
        await using var prometheus = await Prometheus.StartAsync(await Kubectl.GetAsync("pods", "-n", "store-system"), Stop, HastenedRules.Of("StoreBackupTooOld", wait: "0s"));
        await prometheus.UntilAsync($"count({firing})", 1, Stop);
        await prometheus.UntilAsync($"count({firing[..^1]},namespace=\"default\",cluster=\"{Denied}\"}})", 1, Stop);
        await ApplyAsync(Denied, 1, Backup(bucket, Secret, Secret, Denied));
        await OperatedCluster.UntilAsync("backups with the right credentials", status => OperatedCluster.Condition(status, "BackupReady") == "True", Denied, within: Soon);
        // It is still measured, so that it does not fall silent for that.
        await prometheus.UntilAsync($"max(storeoperator_cluster_condition{{type=\"BackupReady\",status=\"True\",namespace=\"default\",cluster=\"{Denied}\"}}) unless on() {firing}", 1, Stop);
    }

    static async Task BackUpNowAsync()
    {
        await Kubectl.ApplyAsync($$"""
            apiVersion: storecluster.io/v1alpha1
            kind: StoreBackup
            metadata: {name: {{Now}}, namespace: default}
            spec: {cluster: {{Name}} }
            """);
        await UntilAsync(async () => await Kubectl.RunAsync("get", "storebackup", Now, "-o", "jsonpath={.status.phase} {.status.message}") is var said && said.StartsWith("Succeeded", StringComparison.Ordinal) ? null : $"the StoreBackup is {said}");
    }

    static Task ApplyAsync(string name, int replicas, string more) => Kubectl.ApplyAsync($$"""
        apiVersion: storecluster.io/v1alpha1
        kind: StoreCluster
        metadata: {name: {{name}}, namespace: default}
        spec:
          replicas: {{replicas}}
          deletionPolicy: Delete
          storage: {size: 1Gi}
        {{more}}
        """);

    /// <param name="prefix">Another for a cluster whose backups are not those to restore.</param>
    static string Backup(ObjectServer bucket, string credentials, string key, string prefix = "shop") => $$"""
          backup:
            target: {{bucket.Target(credentials, prefix)}}
            encryptionKeySecret: {name: {{key}} }
            rpo: 1m
        """;

    /// <param name="secret">Of the key; the credentials are right.</param>
    static string Restore(ObjectServer bucket, string secret, string to) => $$"""
          bootstrap:
            restore:
              from: {{bucket.Target(Secret)}}
              encryptionKeySecret: {name: {{secret}} }
              {{to}}
        """;

    static Task<JsonElement> ReadyAsync(string name) => OperatedCluster.UntilAsync("members that serve", OperatedCluster.Ready, name);

    static async Task SaysAsync(string name, string type, string reason, string words)
    {
        var status = await OperatedCluster.UntilAsync($"{type} for {reason}", status => OperatedCluster.Reason(status, type) == reason, name, within: Soon);
        Assert.Equal("False", OperatedCluster.Condition(status, type));
        Assert.Contains(words, status.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Writes some keys, and waits until they can be restored.</summary>
    async Task WriteAsync(string value)
    {
        var endpoint = await demo.ClientEndpointAsync(Name);
        await BackedUpKeys.WriteAsync(endpoint, value);
        await BackedUpKeys.BackedUpAsync(Name, endpoint, Soon);
    }

    async Task<string> ReadAllAsync(string name) => await BackedUpKeys.ReadAllAsync(await demo.ClientEndpointAsync(name));

    async Task<long> RevisionAsync(string name) => await BackedUpKeys.RevisionAsync(await demo.ClientEndpointAsync(name));

    /// <summary>Of the former cluster nothing is left but what is in the bucket.</summary>
    static Task GoneAsync() => UntilAsync(async () =>
        await Kubectl.RunAsync("get", "pods,persistentvolumeclaims", "-l", $"storecluster.io/cluster={Name}", "-o", "name") is { Length: > 0 } left ? $"still there: {left}" : null);

    static Task UntilAsync(Func<Task<string?>> lacking) => Kubectl.UntilAsync(lacking, Soon);
}
