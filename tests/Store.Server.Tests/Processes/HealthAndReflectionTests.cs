using Grpc.Core;
using Grpc.Net.Client;
using Store.Protocol.GrpcHealth;
using Xunit;
using ServingStatus = Store.Protocol.GrpcHealth.HealthCheckResponse.Types.ServingStatus;

namespace Store.Server.Tests;

/// <summary>What every gRPC tool may ask of any server.</summary>
public class HealthAndReflectionTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_server_and_each_service_tell_that_they_serve()
    {
        await using var store = await StoreUnderTest.StartAsync(Token);
        using var channel = GrpcChannel.ForAddress(store.Url);
        var health = new Health.HealthClient(channel);
        foreach (var service in new[] { "", "etcdserverpb.KV", "v3lockpb.Lock" })
            Assert.Equal(ServingStatus.Serving, (await health.CheckAsync(new() { Service = service }, cancellationToken: Token)).Status);
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await health.CheckAsync(new() { Service = "nobody" }, cancellationToken: Token));
        Assert.Equal((StatusCode.NotFound, "unknown service"), (unknown.StatusCode, unknown.Status.Detail));
    }

    [Fact]
    public async Task Whoever_watches_hears_that_a_corrupt_cluster_serves_no_more()
    {
        await using var store = await StoreUnderTest.StartAsync(Token);
        using var channel = GrpcChannel.ForAddress(store.Url);
        using var watch = new Health.HealthClient(channel).Watch(new(), cancellationToken: Token);
        Assert.True(await watch.ResponseStream.MoveNext(Token));
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
        await new Protocol.Etcdserverpb.Maintenance.MaintenanceClient(channel).AlarmAsync(
            new() { Action = Protocol.Etcdserverpb.AlarmRequest.Types.AlarmAction.Activate, Alarm = Protocol.Etcdserverpb.AlarmType.Corrupt }, cancellationToken: Token);
        Assert.True(await watch.ResponseStream.MoveNext(Token));
        Assert.Equal(ServingStatus.NotServing, watch.ResponseStream.Current.Status);
    }

    [Fact]
    public async Task A_tool_learns_the_services_by_reflection_old_and_new()
    {
        await using var store = await StoreUnderTest.StartAsync(Token);
        using var channel = GrpcChannel.ForAddress(store.Url);
        using var old = new global::Grpc.Reflection.V1Alpha.ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: Token);
        await old.RequestStream.WriteAsync(new() { ListServices = "" }, Token);
        Assert.True(await old.ResponseStream.MoveNext(Token));
        Assert.Contains("etcdserverpb.KV", old.ResponseStream.Current.ListServicesResponse.Service.Select(s => s.Name));

        using var now = new global::Grpc.Reflection.V1.ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: Token);
        await now.RequestStream.WriteAsync(new() { FileContainingSymbol = "etcdserverpb.KV" }, Token);
        Assert.True(await now.ResponseStream.MoveNext(Token));
        Assert.NotEmpty(now.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto);
    }
}
