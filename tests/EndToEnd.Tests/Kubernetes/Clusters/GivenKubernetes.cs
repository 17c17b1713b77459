namespace EndToEnd.Tests;

/// <summary>The cluster of KUBECONFIG, whose Services and pods this process reaches by their addresses.</summary>
sealed class GivenKubernetes : IKubernetes
{
    public bool ReachesPods => true;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<string> EndpointAsync(string service) =>
        $"http://{await Kubectl.RunAsync("get", "service", service, "-o", "jsonpath={.spec.clusterIP}")}:2379";

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
