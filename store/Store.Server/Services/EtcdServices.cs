using System.Collections.Immutable;
using Google.Protobuf.Reflection;

namespace Store.Server;

/// <summary>Everything that etcd registers besides health.</summary>
static class EtcdServices
{
    public static ImmutableArray<ServiceDescriptor> Descriptors { get; } =
    [
        .. Protocol.Etcdserverpb.RpcReflection.Descriptor.Services,
        .. Protocol.V3lockpb.LockReflection.Descriptor.Services,
        .. Protocol.V3electionpb.ElectionReflection.Descriptor.Services,
    ];

    /// <summary>What a client may ask about by reflection.</summary>
    public static ImmutableArray<ServiceDescriptor> WithHealth { get; } = [.. Descriptors, Protocol.GrpcHealth.Health.Descriptor];
}
