namespace EndToEnd.Tests;

/// <summary>A Kubernetes for these tests. Once it has started, kubectl, helm and make find it by this process's environment.</summary>
interface IKubernetes : IAsyncDisposable
{
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Where this process reaches what a Service of the default namespace stands for, such as http://10.96.0.7:2379.</summary>
    Task<string> EndpointAsync(string service);

    /// <summary>Whether this process reaches pods by their addresses.</summary>
    bool ReachesPods { get; }
}
