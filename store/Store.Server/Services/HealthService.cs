using System.Collections.Frozen;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Store.Protocol.GrpcHealth;
using ServingStatus = Store.Protocol.GrpcHealth.HealthCheckResponse.Types.ServingStatus;

namespace Store.Server;

/// <summary>
/// grpc.health.v1 (contract 1.15): the server as a whole (the empty name, all that etcd knows) and each service. A member serves unless its state is known to be
/// wrong; one without a leader still answers serializable reads, so its clients must not be sent away.
/// </summary>
sealed class HealthService(ReplicaLoop loop, IHostApplicationLifetime lifetime, TimeProvider time) : Health.HealthBase
{
    static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    static readonly FrozenSet<string> Names = EtcdServices.Descriptors.Select(service => service.FullName).Append("").ToFrozenSet(StringComparer.Ordinal);

    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        Names.Contains(request.Service)
            ? Task.FromResult(new HealthCheckResponse { Status = Now })
            : throw new RpcException(new(StatusCode.NotFound, "unknown service"));

    /// <summary>The status now and each other one; a service that is not known may come later, says the protocol, so its watcher is told and kept.</summary>
    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        using var timer = new PeriodicTimer(LookInterval, time);
        var told = ServingStatus.Unknown;
        try
        {
            do
            {
                var status = Names.Contains(request.Service) ? Now : ServingStatus.ServiceUnknown;
                if (status == told) continue;
                told = status;
                await responseStream.WriteAsync(new() { Status = status }, ended.Token);
            }
            while (await timer.WaitForNextTickAsync(ended.Token));
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            throw StatusMapping.ToException(lifetime.ApplicationStopping.IsCancellationRequested ? State.StoreError.Stopped : State.StoreError.RequestCanceled);
        }
    }

    ServingStatus Now => loop.IsCorrupt ? ServingStatus.NotServing : ServingStatus.Serving;
}
