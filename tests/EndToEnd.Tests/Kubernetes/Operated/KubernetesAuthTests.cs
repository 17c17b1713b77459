using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Authentication as a user of Kubernetes has it: a Secret, and etcdctl.</summary>
[Collection<KubernetesInstallation>]
public sealed class KubernetesAuthTests(KubernetesDemo demo)
{
    const string Name = "guarded";
    const string Secret = "guarded-root";

    static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Root_gets_the_password_of_a_Secret_and_follows_it_while_the_cluster_grows()
    {
        demo.RequireKubernetes();
        try
        {
            await ApplyAsync();
            // Nobody has allowed the operator to read Secrets here, and then there is none; the store itself starts all the same.
            await SaysAsync("RootSecretUnreadable");
            await Kubectl.RunAsync("create", "rolebinding", "store-operator-secrets", "--clusterrole=store-operator-secrets", "--serviceaccount=store-system:store-operator");
            await SaysAsync("RootSecretMissing");
            await OperatedCluster.UntilAsync("voter that serves", status => status.TryGetProperty("readyMembers", out var ready) && ready.GetInt32() == 1, Name);
            await Kubectl.RunAsync("create", "secret", "generic", Secret, "--from-literal=password=first");
            await UntilReadyAsync(1);
            var endpoint = await demo.ClientEndpointAsync(Name);
            Assert.Contains("user name is empty", await RefusedAsync(endpoint, "get", "greeting"), StringComparison.Ordinal);
            Assert.Contains("invalid user ID or password", await RefusedAsync(endpoint, "--user", "root:guess", "get", "greeting"), StringComparison.Ordinal);
            await AsRootAsync(endpoint, "first", "put", "greeting", "hello");

            await Kubectl.ApplyAsync($$"""{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{Secret}}", "namespace": "default"}, "stringData": {"password": "second"} }""");
            await LetInAsync(endpoint, "second");
            await RefusedAsync(endpoint, "--user", "root:first", "get", "greeting");

            await Kubectl.RunAsync("scale", "storecluster", Name, "--replicas=3");
            await OperatedCluster.UntilAsync("operation under way", status => status.TryGetProperty("operation", out _), Name);
            // The next one has to log in anew.
            await OperatedCluster.KillOperatorAsync();
            await UntilReadyAsync(3);
            Assert.Contains("hello", await AsRootAsync(endpoint, "second", "get", "greeting"), StringComparison.Ordinal);

            await Kubectl.RunAsync("patch", "storecluster", Name, "--type=merge", "-p", """{"spec": {"auth": {"enabled": false} } }""");
            await OperatedCluster.UntilAsync("end of authentication", status => OperatedCluster.Reason(status, "AuthReady") == "NotWanted" && OperatedCluster.Ready(status), Name);
            Assert.Contains("hello", (await Etcdctl.RunAsync("3.5", endpoint, ["get", "greeting"])).Succeeded().Output, StringComparison.Ordinal);
            Assert.DoesNotContain($"{Name}-operator-login", await Kubectl.RunAsync("get", "secrets", "-o", "name"), StringComparison.Ordinal);
        }
        finally
        {
            await Kubectl.RunAsync("delete", "storecluster", Name, "--ignore-not-found", "--timeout=60s");
            await Kubectl.RunAsync("delete", "secret", Secret, "--ignore-not-found");
            await Kubectl.RunAsync("delete", "rolebinding", "store-operator-secrets", "--ignore-not-found");
        }
    }

    static Task ApplyAsync() => Kubectl.ApplyAsync($$"""
        apiVersion: storecluster.io/v1alpha1
        kind: StoreCluster
        metadata: {name: {{Name}}, namespace: default}
        spec:
          replicas: 1
          deletionPolicy: Delete
          storage: {size: 1Gi}
          auth:
            enabled: true
            rootSecret: {name: {{Secret}}}
        """);

    static async Task SaysAsync(string reason)
    {
        await OperatedCluster.UntilAsync($"AuthReady for {reason}", status => OperatedCluster.Reason(status, "AuthReady") == reason, Name, within: Soon);
        await KubernetesBadInputTests.HasEventAsync("default", Name, reason);
    }

    static Task<JsonElement> UntilReadyAsync(int members) => OperatedCluster.UntilAsync(
        $"{members} members that serve and ask who calls",
        status => OperatedCluster.Ready(status) && OperatedCluster.Reason(status, "AuthReady") == "Enabled" && OperatedCluster.Members(status).Count == members, Name);

    static async Task<string> RefusedAsync(string endpoint, params string[] arguments)
    {
        var result = await Etcdctl.RunAsync("3.5", endpoint, arguments);
        Assert.NotEqual(0, result.ExitCode);
        return result.Error + result.Output;
    }

    static async Task<string> AsRootAsync(string endpoint, string password, params string[] arguments) =>
        (await Etcdctl.RunAsync("3.5", endpoint, ["--user", $"root:{password}", .. arguments])).Succeeded().Output;

    static async Task LetInAsync(string endpoint, string password)
    {
        var deadline = DateTime.UtcNow + Soon;
        while ((await Etcdctl.RunAsync("3.5", endpoint, ["--user", $"root:{password}", "get", "greeting"])).ExitCode != 0)
            Assert.True(DateTime.UtcNow < deadline, $"root is not let in with the password {password}");
    }
}
