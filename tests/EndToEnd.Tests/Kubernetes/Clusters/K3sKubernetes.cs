using System.Globalization;
using Testcontainers.K3s;

namespace EndToEnd.Tests;

/// <summary>A K3s of one node in Docker, by Testcontainers. From outside its container only published ports are reached: the API server's, and a few for Services.</summary>
/// <param name="dockerEndpoint">Where Docker listens; found by Testcontainers (DOCKER_HOST, the usual sockets) when null.</param>
sealed class K3sKubernetes(string? dockerEndpoint = null) : IKubernetes
{
    const int FirstNodePort = 30000;
    const int NodePorts = 4;

    readonly string folder = Directory.CreateTempSubdirectory("k3s-").FullName;
    K3sContainer? container;
    ImageLoader? loader;
    int servicesPublished;

    static string Image => Environment.GetEnvironmentVariable("K3S_IMAGE") is { Length: > 0 } image ? image : "rancher/k3s:v1.34.1-k3s1";

    public bool ReachesPods => false;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            container = Configured().Build();
            await container.StartAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            throw new InvalidOperationException(
                $"{KubernetesChoice.Variable}=k3s needs a Docker that can run {Image} (privileged): {failure.Message}\nStart Docker or set DOCKER_HOST; where there is none, unset {KubernetesChoice.Variable} and set KUBECONFIG.", failure);
        }
        var kubeConfig = Path.Combine(folder, "kubeconfig");
        await File.WriteAllTextAsync(kubeConfig, await container.GetKubeconfigAsync(), cancellationToken);
        loader = ImageLoader.Start(ImportAsync);
        Environment.SetEnvironmentVariable("KUBECONFIG", kubeConfig);
        Environment.SetEnvironmentVariable("LOAD_IMAGE", loader.Command);
    }

    /// <summary>A Service like the given one, at a port of the node that is published.</summary>
    public async Task<string> EndpointAsync(string service)
    {
        var selector = (await Kubectl.GetAsync("service", service)).GetProperty("spec").GetProperty("selector").GetRawText();
        if (servicesPublished == NodePorts) throw new InvalidOperationException($"only {NodePorts} Services can be reached from outside: raise {nameof(NodePorts)}");
        var port = FirstNodePort + servicesPublished++;
        await Kubectl.ApplyAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "{{service}}-outside", "namespace": "default"},
             "spec": {"type": "NodePort", "selector": {{selector}}, "ports": [{"name": "client", "port": 2379, "targetPort": "client", "nodePort": {{port}}}]} }
            """));
        return $"http://{container!.Hostname}:{container.GetMappedPublicPort(port)}";
    }

    public async ValueTask DisposeAsync()
    {
        if (loader is not null) await loader.DisposeAsync();
        if (container is not null) await container.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    K3sBuilder Configured()
    {
        // The whole command, so that it does not depend on whether one is added to the builder's own.
        string[] command = ["server", "--disable=traefik,metrics-server", $"--service-node-port-range={FirstNodePort}-{FirstNodePort + NodePorts - 1}"];
        var builder = new K3sBuilder(Image).WithCreateParameterModifier(parameters => parameters.Cmd = command);
        for (var port = FirstNodePort; port < FirstNodePort + NodePorts; port++) builder = builder.WithPortBinding(port, assignRandomHostPort: true);
        return dockerEndpoint is null ? builder : builder.WithDockerEndpoint(dockerEndpoint);
    }

    async Task ImportAsync(string archive, CancellationToken cancellationToken)
    {
        var there = $"/tmp/{Path.GetFileName(archive)}";
        await container!.CopyAsync(new FileInfo(archive), "/tmp/", ct: cancellationToken);
        var import = await container.ExecAsync(["ctr", "--namespace", "k8s.io", "images", "import", there], cancellationToken);
        await container.ExecAsync(["rm", "-f", there], cancellationToken);
        if (import.ExitCode != 0) throw new InvalidOperationException($"ctr images import {there}: {import.Stdout}{import.Stderr}");
    }
}
