using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>The tests that share one installation of the operator on one Kubernetes.</summary>
[CollectionDefinition]
public sealed class KubernetesInstallation : ICollectionFixture<KubernetesDemo>;

/// <summary>Runs `make demo` once, and `make demo-down` at the end.</summary>
public sealed class KubernetesDemo : IAsyncLifetime
{
    readonly IKubernetes? kubernetes = KubernetesChoice.Of(Environment.GetEnvironmentVariable(KubernetesChoice.Variable), Environment.GetEnvironmentVariable("KUBECONFIG"));

    public bool HasKubernetes => kubernetes is not null;

    /// <summary>Whether this process reaches pods by their addresses.</summary>
    public bool ReachesPods => kubernetes?.ReachesPods == true;

    public string Output { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (kubernetes is null) return;
        await kubernetes.StartAsync(CancellationToken.None);
        // A run that was killed leaves its StoreCluster, which is Ready before it is applied.
        await RemoveAsync();
        var run = await Shell.RunAsync("make", ["demo"], null, TimeSpan.FromMinutes(12));
        Output = run.Succeeded().Output;
    }

    public void RequireKubernetes() =>
        Assert.SkipUnless(HasKubernetes, "needs a Kubernetes: set KUBECONFIG (and LOAD_IMAGE for clusters that are not kind, k3d or minikube), or E2E_CLUSTER=k3s where Docker is");

    public void RequirePodAddresses()
    {
        RequireKubernetes();
        Assert.SkipUnless(ReachesPods, "needs pods that this process reaches by their addresses, which those of a K3s in Docker are not");
    }

    /// <summary>Where this process reaches the StoreCluster's client Service.</summary>
    internal async Task<string> ClientEndpointAsync(string name)
    {
        RequireKubernetes();
        return await kubernetes!.EndpointAsync(name);
    }

    public async ValueTask DisposeAsync()
    {
        if (kubernetes is null) return;
        await RemoveAsync();
        await kubernetes.DisposeAsync();
    }

    static async Task RemoveAsync() => (await Shell.RunAsync("make", ["demo-down"], null, TimeSpan.FromMinutes(5))).Succeeded();
}
