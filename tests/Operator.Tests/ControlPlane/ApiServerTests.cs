using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Operator.Controller;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What the operator relies on, asked of a real API server.</summary>
[Collection<ControlPlaneTests>]
public sealed class ApiServerTests(ControlPlane plane)
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Applying_the_same_again_changes_nothing_and_what_is_left_out_goes_while_others_fields_stay()
    {
        plane.Require();
        V1Service Rendered(params string[] annotations) => new()
        {
            ApiVersion = "v1",
            Kind = "Service",
            Metadata = new V1ObjectMeta { Name = "applied", NamespaceProperty = plane.Namespace, Annotations = annotations.ToDictionary(name => name, _ => "ours") },
            Spec = new V1ServiceSpec { Ports = [new V1ServicePort { Name = "client", Port = 2379, Protocol = "TCP" }], Selector = new Dictionary<string, string> { ["a"] = "b" } },
        };

        var first = (await plane.Api.ApplyAsync(Rendered("kept", "dropped"), Stop)).Value!;
        var again = (await plane.Api.ApplyAsync(Rendered("kept", "dropped"), Stop)).Value!;
        Assert.Equal(first.Metadata.ResourceVersion, again.Metadata.ResourceVersion);
        await plane.Client.CoreV1.PatchNamespacedServiceAsync(new V1Patch("""{"metadata":{"annotations":{"theirs":"set by a person"}}}""", V1Patch.PatchType.MergePatch), "applied", plane.Namespace, cancellationToken: Stop);
        var third = (await plane.Api.ApplyAsync(Rendered("kept"), Stop)).Value!;
        Assert.Equal(["kept", "theirs"], third.Metadata.Annotations.Keys.Order());
    }

    [Fact]
    public async Task A_status_is_written_beside_the_spec_and_only_over_the_version_that_it_was_judged_from()
    {
        plane.Require();
        var made = await plane.CreateAsync("judged", new StoreClusterSpec { Replicas = 3 });
        var changed = made with { Spec = made.Spec with { Replicas = 5 }, Status = new StoreClusterStatus { Phase = "Forming" } };
        var written = (await plane.Api.ReplaceStatusAsync(changed, Stop)).Value!;
        Assert.Equal((3, "Forming", made.Metadata.Generation), (written.Spec.Replicas, written.Status!.Phase, written.Metadata.Generation));
        var late = await plane.Api.ReplaceStatusAsync(made with { Status = new StoreClusterStatus { Phase = "Stale" } }, Stop);
        Assert.True(late.Error is { Conflict: true });
    }

    [Fact]
    public async Task The_scale_subresource_writes_replicas_and_reads_the_selector()
    {
        plane.Require();
        var made = await plane.CreateAsync("scaled", new StoreClusterSpec { Replicas = 3 });
        await plane.Api.ReplaceStatusAsync(made with { Status = new StoreClusterStatus { Replicas = 3, Selector = "storecluster.io/cluster=scaled" } }, Stop);
        await plane.PatchAsync("scaled", new { spec = new { replicas = 5 } }, "scale");
        Assert.Equal(5, (await plane.ReadAsync("scaled")).Spec.Replicas);
        var scale = (System.Text.Json.JsonElement)await plane.Client.CustomObjects.GetNamespacedCustomObjectScaleAsync("storecluster.io", "v1alpha1", plane.Namespace, "storeclusters", "scaled", Stop);
        Assert.Equal("storecluster.io/cluster=scaled", scale.GetProperty("status").GetProperty("selector").GetString());
    }

    [Fact]
    public async Task A_spec_that_the_schema_forbids_is_refused_with_its_field()
    {
        plane.Require();
        var refused = await plane.Api.CreateAsync(new StoreCluster { Metadata = new V1ObjectMeta { Name = "forbidden", NamespaceProperty = plane.Namespace }, Spec = new StoreClusterSpec { Replicas = -3 } }, Stop);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Error!.Status);
        Assert.Contains("spec.replicas", refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reflector_follows_what_others_write_and_delete()
    {
        plane.Require();
        var store = new ObjectStore<V1ConfigMap>(map => new ObjectKey(map.Metadata.NamespaceProperty, map.Metadata.Name));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var reflector = new Reflector<V1ConfigMap>(plane.Api, plane.Namespace, null, store, _ => { }, TimeProvider.System, NullLogger.Instance);
        var running = reflector.RunAsync(stop.Token);
        await reflector.Synced;
        var key = new ObjectKey(plane.Namespace, "followed");
        await plane.Client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "followed" } }, plane.Namespace, cancellationToken: Stop);
        await Eventually.True(() => store.Get(key) is not null);
        await plane.Client.CoreV1.DeleteNamespacedConfigMapAsync("followed", plane.Namespace, cancellationToken: Stop);
        await Eventually.True(() => store.Get(key) is null);
        await stop.CancelAsync();
        await running;
    }
}
