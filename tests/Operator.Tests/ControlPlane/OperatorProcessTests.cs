using k8s;
using k8s.Models;
using Operator.Controller;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>The operator's own process on a real API server. Its members' pods are wanted on a node that does not exist, so all stands still soon.</summary>
[Collection<ControlPlaneTests>]
public sealed class OperatorProcessTests(ControlPlane plane)
{
    static readonly TimeSpan Rest = TimeSpan.FromSeconds(15);

    static StoreClusterSpec Homeless => new() { Replicas = 3, Scheduling = new SchedulingSpec { NodeSelector = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "nowhere" } } };

    [Fact]
    public async Task It_makes_its_objects_writes_nothing_while_it_waits_and_leaves_nothing_behind()
    {
        plane.Require();
        await using var process = new OperatorProcess("one", plane.Namespace);
        var made = await plane.CreateAsync("orders", Homeless);
        await ControlPlane.UntilAsync("the seed is waited for", async () => (await plane.ReadAsync("orders")).Status?.Blocked is [{ Reason: "SeedStarting" }]);
        await ControlPlane.UntilAsync("nothing changes any more", IsAtRestAsync, seconds: 90);

        Assert.Null((await plane.ReadAsync("orders")).Metadata.Finalizers);
        Assert.Null(await plane.Api.DeleteAsync<StoreCluster>(new ObjectKey(plane.Namespace, "orders"), made.Metadata.Uid, TestContext.Current.CancellationToken));
        await ControlPlane.UntilAsync("everything that it owned is collected", async () => (await plane.VersionsAsync("orders")).All(version => version.StartsWith(nameof(V1PersistentVolumeClaim), StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_StoreBackup_says_what_it_waits_for()
    {
        plane.Require();
        await using var process = new OperatorProcess("one", plane.Namespace);
        var key = new ObjectKey(plane.Namespace, "now");
        var wanted = new StoreBackup { Metadata = new V1ObjectMeta { Name = key.Name, NamespaceProperty = key.Namespace }, Spec = new StoreBackupSpec { Cluster = "none" } };
        Assert.Null((await plane.Api.CreateAsync(wanted, TestContext.Current.CancellationToken)).Error);
        async Task<StoreBackupStatus?> StatusAsync() => (await plane.Api.GetAsync<StoreBackup>(key, TestContext.Current.CancellationToken)).Value?.Status;
        await ControlPlane.UntilAsync("it waits", async () => await StatusAsync() is { Phase: StoreBackupStatus.Pending, Message: "there is no StoreCluster none in this namespace" });
    }

    [Fact]
    public async Task A_StoreBackupSchedule_makes_StoreBackups_that_go_with_it()
    {
        plane.Require();
        await using var process = new OperatorProcess("one", plane.Namespace);
        var key = new ObjectKey(plane.Namespace, "minutely");
        var wanted = new StoreBackupSchedule
        {
            Metadata = new V1ObjectMeta { Name = key.Name, NamespaceProperty = key.Namespace },
            Spec = new StoreBackupScheduleSpec { Cluster = "none", Schedule = "0 2 * * *", TimeZone = "Europe/Lisbon", Immediate = true },
        };
        var created = await plane.Api.CreateAsync(wanted, TestContext.Current.CancellationToken);
        Assert.Null(created.Error);
        async Task<StoreBackupScheduleStatus?> StatusAsync() => (await plane.Api.GetAsync<StoreBackupSchedule>(key, TestContext.Current.CancellationToken)).Value?.Status;
        async Task<IReadOnlyList<StoreBackup>> MadeAsync() => [.. (await plane.Api.ListAsync<StoreBackup>(key.Namespace, null, null, TestContext.Current.CancellationToken)).Value!.Items
            .Where(backup => backup.Metadata.OwnerReferences?.Any(owner => owner.Uid == created.Value!.Metadata.Uid) == true)];
        await ControlPlane.UntilAsync("the first one is made", async () => await StatusAsync() is { Active: [var active] } && (await MadeAsync()).Select(backup => backup.Metadata.Name).SequenceEqual([active]));
        Assert.Null(await plane.Api.DeleteAsync<StoreBackupSchedule>(key, created.Value!.Metadata.Uid, TestContext.Current.CancellationToken));
        await ControlPlane.UntilAsync("it is deleted with its schedule", async () => await MadeAsync() is []);
    }

    [Fact]
    public async Task One_leads_and_when_it_is_killed_the_other_goes_on()
    {
        plane.Require();
        await using var one = new OperatorProcess("one", plane.Namespace);
        await ControlPlane.UntilAsync("one leads", async () => await HolderAsync() == "one");
        await using var two = new OperatorProcess("two", plane.Namespace);
        await plane.CreateAsync("handed", Homeless);
        await ControlPlane.UntilAsync("one works", async () => (await plane.ReadAsync("handed")).Status?.ClusterToken is not null);
        Assert.Equal("one", await HolderAsync());

        one.Kill();
        await plane.PatchAsync("handed", new { spec = new { services = new { client = new { annotations = new { asked = "of the second" } } } } });
        await ControlPlane.UntilAsync("two leads", async () => await HolderAsync() == "two");
        await ControlPlane.UntilAsync("two works", async () =>
            (await plane.Client.CoreV1.ListNamespacedServiceAsync(plane.Namespace)).Items.Any(service => service.Metadata.Name == "handed" && service.Metadata.Annotations?.ContainsKey("asked") == true));
    }

    async Task<bool> IsAtRestAsync()
    {
        var before = await plane.VersionsAsync("orders");
        await Task.Delay(Rest, TestContext.Current.CancellationToken);
        return before.SequenceEqual(await plane.VersionsAsync("orders"));
    }

    async Task<string?> HolderAsync() =>
        (await plane.Api.GetAsync<V1Lease>(new ObjectKey(plane.Namespace, "store-operator"), TestContext.Current.CancellationToken)).Value?.Spec.HolderIdentity;
}
