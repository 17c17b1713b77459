using System.Globalization;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A cluster and its volumes are lost, and come back from a bucket.</summary>
[Collection<KubernetesInstallation>]
public sealed class KubernetesBackupTests(KubernetesDemo demo)
{
    const string Name = "kept", Earlier = "kept-earlier", Denied = "denied", Mistaken = "mistaken", Secret = "kept-backup", Wrong = "kept-wrong";

    static readonly TimeSpan Soon = TimeSpan.FromMinutes(1.5);

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_deleted_cluster_comes_back_with_everything_and_as_it_was_at_a_moment()
    {
        demo.RequireKubernetes();
        await using var bucket = await ObjectServer.StartAsync();
        try
        {
            await Kubectl.RunAsync("create", "secret", "generic", Secret, "--from-literal=access-key-id=test", "--from-literal=secret-access-key=testsecret", $"--from-literal=key={new string('7', 64)}");
            await Kubectl.RunAsync("create", "secret", "generic", Wrong, "--from-literal=access-key-id=test", "--from-literal=secret-access-key=guessed", $"--from-literal=key={new string('8', 64)}");
            await ApplyAsync(Denied, 1, Backup(bucket, Wrong, Secret));
            await ApplyAsync(Name, 1, Backup(bucket, Secret, Secret));
            await ReadyAsync(Name);
            var before = await OperatedCluster.UntilAsync("fresh backup", status => OperatedCluster.Condition(status, "BackupReady") == "True", Name, within: Soon);

            await WriteAsync("first");
            var (earlier, moment) = (await ReadAllAsync(Name), DateTimeOffset.UtcNow);
            await WriteAsync("second");
            var last = await ReadAllAsync(Name);
            Assert.NotEqual(earlier, last);
            var revision = await RevisionAsync(Name);
            await SaysAsync(Denied, "BackupReady", "Denied", "nothing is backed up");

            await Kubectl.RunAsync("delete", "storecluster", Name, Denied, "--timeout=60s");
            await GoneAsync();
            await ApplyAsync(Name, 3, Restore(bucket, Secret, ""));
            await ApplyAsync(Mistaken, 1, Restore(bucket, Wrong, ""));
            await ApplyAsync(Earlier, 1, Restore(bucket, Secret, $"time: \"{moment.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\""));
            await SaysAsync(Mistaken, "Restored", "RestoreFailed", "encrypted with key");
            await ReadyAsync(Earlier);
            Assert.Equal(earlier, await ReadAllAsync(Earlier));
            var after = await ReadyAsync(Name);
            Assert.Equal(last, await ReadAllAsync(Name));
            Assert.Equal("True", OperatedCluster.Condition(after, "Restored"));
            Assert.NotEqual(before.GetProperty("clusterId").GetString(), after.GetProperty("clusterId").GetString());
            Assert.InRange(await RevisionAsync(Name), revision + 1_000_000_000, long.MaxValue);
        }
        finally
        {
            await Kubectl.RunAsync("delete", "storecluster", Name, Earlier, Denied, Mistaken, "--ignore-not-found", "--timeout=60s");
            await Kubectl.RunAsync("delete", "secret", Secret, Wrong, "--ignore-not-found");
        }
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

    static string Backup(ObjectServer bucket, string credentials, string key) => $$"""
          backup:
            target: {{Target(bucket, credentials)}}
            encryptionKeySecret: {name: {{key}} }
            rpo: 1m
        """;

    /// <param name="secret">Of the key; the credentials are right.</param>
    static string Restore(ObjectServer bucket, string secret, string to) => $$"""
          bootstrap:
            restore:
              from: {{Target(bucket, Secret)}}
              encryptionKeySecret: {name: {{secret}} }
              {{to}}
        """;

    static string Target(ObjectServer bucket, string credentials) =>
        $$"""{s3: {bucket: {{bucket.Bucket}}, prefix: shop, endpoint: "{{bucket.Endpoint}}", pathStyle: true, credentialsSecret: {name: {{credentials}} } } }""";

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
        for (var key = 0; key < 8; key++) (await Etcdctl.RunAsync("3.5", endpoint, ["put", $"key-{key}", $"{value} {key}"])).Succeeded();
        (await Etcdctl.RunAsync("3.5", endpoint, ["put", value, value])).Succeeded();
        var revision = await RevisionAsync(Name);
        await UntilAsync(async () => await RecoverableAsync() is var recoverable && recoverable < revision ? $"revision {revision} was not backed up, only {recoverable}" : null);
    }

    static async Task<long> RecoverableAsync() =>
        JsonDocument.Parse(await Kubectl.RunAsync("get", "--raw", $"/api/v1/namespaces/default/pods/{Name}-1-0:2385/proxy/status")).RootElement.GetProperty("recoverableRevision").GetInt64();

    async Task<string> ReadAllAsync(string name) => (await Etcdctl.RunAsync("3.5", await demo.ClientEndpointAsync(name), ["get", "", "--prefix"])).Succeeded().Output;

    async Task<long> RevisionAsync(string name)
    {
        var answer = (await Etcdctl.RunAsync("3.5", await demo.ClientEndpointAsync(name), ["get", "none", "-w", "json"])).Succeeded().Output;
        return long.Parse(JsonDocument.Parse(answer).RootElement.GetProperty("header").GetProperty("revision").ToString(), CultureInfo.InvariantCulture);
    }

    /// <summary>Of the former cluster nothing is left but what is in the bucket.</summary>
    static Task GoneAsync() => UntilAsync(async () =>
        await Kubectl.RunAsync("get", "pods,persistentvolumeclaims", "-l", $"storecluster.io/cluster={Name}", "-o", "name") is { Length: > 0 } left ? $"still there: {left}" : null);

    /// <param name="lacking">What is still missing; null when nothing is.</param>
    static async Task UntilAsync(Func<Task<string?>> lacking)
    {
        var deadline = DateTime.UtcNow + Soon;
        while (await lacking() is { } lack)
        {
            Assert.True(DateTime.UtcNow < deadline, lack);
            await Task.Delay(250, Stop);
        }
    }
}
