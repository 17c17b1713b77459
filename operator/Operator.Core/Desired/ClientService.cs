using k8s.Models;

namespace Operator.Core;

/// <summary>Where clients go: members that are ready. A learner is ready too, and answers what it may, passing on what it may not.</summary>
public static class ClientService
{
    public static V1Service Build(StoreCluster cluster) => Applied.Stamp(new V1Service
    {
        ApiVersion = "v1",
        Kind = "Service",
        Metadata = new V1ObjectMeta
        {
            Name = Names.ClientService(cluster.Metadata.Name),
            NamespaceProperty = cluster.Metadata.NamespaceProperty,
            Labels = Additions.Under(Labels.OfCluster(cluster.Metadata.Name), cluster.Spec.Services.Client.Labels),
            Annotations = Additions.Of(cluster.Spec.Services.Client.Annotations),
            OwnerReferences = [Labels.Owner(cluster)],
        },
        Spec = new V1ServiceSpec
        {
            Type = cluster.Spec.Services.Client.Type,
            IpFamilyPolicy = cluster.Spec.Services.Client.IpFamilyPolicy,
            Selector = Labels.Selector(cluster.Metadata.Name),
            Ports = [new V1ServicePort { Name = "client", Port = Ports.Client, TargetPort = "client", Protocol = "TCP" }],
        },
    });
}
