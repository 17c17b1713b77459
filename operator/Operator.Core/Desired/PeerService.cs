using k8s.Models;

namespace Operator.Core;

/// <summary>Gives every member its name, ready or not: members have to find one another before any of them can be ready.</summary>
public static class PeerService
{
    public static V1Service Build(StoreCluster cluster) => Applied.Stamp(new V1Service
    {
        ApiVersion = "v1",
        Kind = "Service",
        Metadata = new V1ObjectMeta
        {
            Name = Names.PeerService(cluster.Metadata.Name),
            NamespaceProperty = cluster.Metadata.NamespaceProperty,
            Labels = Labels.OfCluster(cluster.Metadata.Name),
            OwnerReferences = [Labels.Owner(cluster)],
        },
        Spec = new V1ServiceSpec
        {
            ClusterIP = "None",
            PublishNotReadyAddresses = true,
            Selector = Labels.Selector(cluster.Metadata.Name),
            Ports =
            [
                new V1ServicePort { Name = "client", Port = Ports.Client, TargetPort = "client", Protocol = "TCP" },
                new V1ServicePort { Name = "peer", Port = Ports.Peer, TargetPort = "peer", Protocol = "TCP" },
                new V1ServicePort { Name = "metrics", Port = Ports.Metrics, TargetPort = "metrics", Protocol = "TCP" },
            ],
        },
    });
}
