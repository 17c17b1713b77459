using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>The tests that share one installation of the operator on one Kubernetes.</summary>
[CollectionDefinition]
public sealed class KubernetesInstallation : ICollectionFixture<KubernetesDemo>;

/// <summary>Runs `make demo` once, and `make demo-down` at the end.</summary>
public sealed class KubernetesDemo : IAsyncLifetime
{
    public string KubeConfig { get; } = Environment.GetEnvironmentVariable("KUBECONFIG") ?? "";

    public string Output { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (KubeConfig.Length == 0) return;
        var run = await Shell.RunAsync("make", ["demo"], null, TimeSpan.FromMinutes(12));
        Output = run.Succeeded().Output;
    }

    public void RequireKubernetes() =>
        Assert.SkipUnless(KubeConfig.Length > 0, "needs a Kubernetes: set KUBECONFIG (and LOAD_IMAGE for clusters that are not kind, k3d or minikube)");

    /// <summary>Where this process reaches the StoreCluster's client Service.</summary>
    internal async Task<string> ClientEndpointAsync(string name)
    {
        RequireKubernetes();
        return $"http://{await Kubectl.RunAsync("get", "service", name, "-o", "jsonpath={.spec.clusterIP}")}:2379";
    }

    public async ValueTask DisposeAsync()
    {
        if (KubeConfig.Length == 0) return;
        (await Shell.RunAsync("make", ["demo-down"], null, TimeSpan.FromMinutes(5))).Succeeded();
    }
}
