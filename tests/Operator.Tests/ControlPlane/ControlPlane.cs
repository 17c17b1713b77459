using System.Text.Json;
using k8s;
using k8s.Models;
using Operator.Controller;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>The tests that share one namespace on one API server, one after the other.</summary>
[CollectionDefinition]
public sealed class ControlPlaneTests : ICollectionFixture<ControlPlane>;

/// <summary>A namespace of its own on the API server of KUBECONFIG, with the StoreCluster's definition. Pods need not run there.</summary>
public sealed class ControlPlane : IAsyncLifetime
{
    readonly string? kubeConfig = Environment.GetEnvironmentVariable("KUBECONFIG");
    /// <summary>A label of definitions that these tests made.</summary>
    const string Ours = "storecluster.io/made-by-tests";

    Kubernetes? client;

    public string Namespace { get; } = $"store-{Guid.NewGuid():n}"[..18];

    /// <summary>A client that is not the operator's: what users do.</summary>
    public Kubernetes Client => client ?? throw new InvalidOperationException("needs a Kubernetes");

    internal KubeApi Api { get; private set; } = null!;

    public void Require() => Assert.SkipUnless(kubeConfig is { Length: > 0 }, "needs the API server of a Kubernetes: set KUBECONFIG");

    public async ValueTask InitializeAsync()
    {
        if (kubeConfig is not { Length: > 0 }) return;
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeConfig);
        client = new Kubernetes(configuration);
        Api = KubeApi.Connect(configuration);
        await client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } });
        foreach (var (_, yaml) in CrdFiles.All) await DefineAsync(yaml);
        await UntilAsync("the definitions are served", async () =>
            (await Api.ListAsync<StoreCluster>(Namespace, null, null, CancellationToken.None)).Error is null && (await Api.ListAsync<StoreBackup>(Namespace, null, null, CancellationToken.None)).Error is null
            && (await Api.ListAsync<StoreBackupSchedule>(Namespace, null, null, CancellationToken.None)).Error is null && (await Api.ListAsync<StoreRestore>(Namespace, null, null, CancellationToken.None)).Error is null);
    }

    public async ValueTask DisposeAsync()
    {
        if (client is null) return;
        await client.CoreV1.DeleteNamespaceAsync(Namespace);
        // A definition that an installed operator needs stays.
        foreach (var definition in (await client.ApiextensionsV1.ListCustomResourceDefinitionAsync(labelSelector: Ours)).Items) await client.ApiextensionsV1.DeleteCustomResourceDefinitionAsync(definition.Metadata.Name);
        client.Dispose();
    }

    /// <summary>Makes a kind known until the tests are over. One that a run left behind that was killed is replaced, for it may be of another day; one that is not a test's stays as it is.</summary>
    internal async Task DefineAsync(string yaml)
    {
        var wanted = KubernetesYaml.Deserialize<V1CustomResourceDefinition>(yaml);
        wanted.Metadata.Labels = new Dictionary<string, string> { [Ours] = "true" };
        await UntilAsync($"{wanted.Metadata.Name} is defined", async () =>
        {
            var made = await Api.CreateAsync(wanted, CancellationToken.None);
            if (made.Error is not { } error) return true;
            Assert.True(error.Conflict, $"{wanted.Metadata.Name}: {error}");
            var there = (await Client.ApiextensionsV1.ListCustomResourceDefinitionAsync()).Items.FirstOrDefault(other => other.Metadata.Name == wanted.Metadata.Name);
            if (there is not { Metadata.DeletionTimestamp: null }) return false;
            if (there.Metadata.Labels?.ContainsKey(Ours) != true) return true;
            wanted.Metadata.ResourceVersion = there.Metadata.ResourceVersion;
            var replaced = await Api.ReplaceAsync(wanted, CancellationToken.None);
            wanted.Metadata.ResourceVersion = null;
            return replaced.Error is null;
        });
    }

    internal async Task<StoreCluster> CreateAsync(string name, StoreClusterSpec spec)
    {
        var answer = await Api.CreateAsync(new StoreCluster { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace }, Spec = spec }, TestContext.Current.CancellationToken);
        Assert.Null(answer.Error);
        return answer.Value!;
    }

    internal async Task<StoreCluster> ReadAsync(string name)
    {
        var answer = await Api.GetAsync<StoreCluster>(new ObjectKey(Namespace, name), TestContext.Current.CancellationToken);
        Assert.Null(answer.Error);
        return answer.Value!;
    }

    internal async Task PatchAsync(string name, object patch, string? subresource = null)
    {
        var body = new V1Patch(JsonSerializer.Serialize(patch), V1Patch.PatchType.MergePatch);
        if (subresource is null) await Client.CustomObjects.PatchNamespacedCustomObjectAsync(body, "storecluster.io", "v1alpha1", Namespace, "storeclusters", name);
        else await Client.CustomObjects.PatchNamespacedCustomObjectScaleAsync(body, "storecluster.io", "v1alpha1", Namespace, "storeclusters", name);
    }

    /// <summary>The versions of a StoreCluster and of everything that the operator makes for it, besides events.</summary>
    internal async Task<IReadOnlyList<string>> VersionsAsync(string name)
    {
        var sets = await Client.AppsV1.ListNamespacedStatefulSetAsync(Namespace);
        var services = await Client.CoreV1.ListNamespacedServiceAsync(Namespace);
        var claims = await Client.CoreV1.ListNamespacedPersistentVolumeClaimAsync(Namespace);
        var clusters = (await Api.ListAsync<StoreCluster>(Namespace, null, null, TestContext.Current.CancellationToken)).Value!.Items;
        return [.. sets.Items.Cast<IKubernetesObject<V1ObjectMeta>>().Concat(services.Items).Concat(claims.Items).Concat(clusters)
            .Where(item => item.Metadata.Name.Contains(name, StringComparison.Ordinal)).Select(item => $"{item.GetType().Name} {item.Metadata.Name} {item.Metadata.ResourceVersion}").Order(StringComparer.Ordinal)];
    }

    internal static Task UntilAsync(string what, Func<Task<bool>> holds, int seconds = 60) => UntilAsync(what, async () => await holds() ? null : "", seconds);

    /// <param name="lacking">Null when it has come about; else what to say if it does not.</param>
    internal static async Task UntilAsync(string what, Func<Task<string?>> lacking, int seconds = 60)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(seconds); await lacking() is { } lacks; await Task.Delay(100, TestContext.Current.CancellationToken))
            Assert.True(DateTime.UtcNow < deadline, $"not within {seconds} s: {what}\n{lacks}");
    }
}
