using k8s;
using k8s.Models;

namespace Operator.Core;

public static class Names
{
    public const string FieldManager = "store-operator";

    /// <summary>The one headless Service that all members' StatefulSets share.</summary>
    public static string PeerService(string cluster) => $"{cluster}-peers";

    public static string ClientService(string cluster) => cluster;

    public static string Budget(string cluster) => cluster;

    /// <summary>The Secret that holds what the operator itself logs in with.</summary>
    public static string OperatorLogin(string cluster) => $"{cluster}-operator-login";
}

public static class Ports
{
    public const int Client = 2379;
    public const int Peer = 2380;
    public const int Metrics = 2381;

    /// <summary>Of the backup agent: metrics, status and health.</summary>
    public const int Agent = 2385;

    /// <summary>Of the backup agent: what it may be asked to do, over mutual TLS.</summary>
    public const int AgentControl = 2386;
}

public static class Annotations
{
    /// <summary>Fingerprint of the object as it was last applied: a change of it is what makes the operator apply again.</summary>
    public const string Applied = "storecluster.io/applied";

    /// <summary>On a StatefulSet: <c>form</c>, <c>join</c> or <c>sealed</c>. See <see cref="Ticket"/>.</summary>
    public const string Ticket = "storecluster.io/ticket";

    /// <summary>On a StatefulSet: the --initial-cluster of its ticket.</summary>
    public const string InitialCluster = "storecluster.io/initial-cluster";

    /// <summary>On a StatefulSet: the cluster's token, from which a lost status is found again.</summary>
    public const string ClusterToken = "storecluster.io/cluster-token";

    /// <summary>On a StatefulSet, from the second epoch on: which one the token is of.</summary>
    public const string Epoch = "storecluster.io/epoch";

    /// <summary>On a Secret of certificates: when the operator wrote it last.</summary>
    public const string Changed = "storecluster.io/changed";

    /// <summary>On a pod: fingerprint of the certificates that its kubelet was last asked to bring.</summary>
    public const string Certificates = "storecluster.io/certificates";

    /// <summary>On a pod: fingerprint of what it runs, the ticket left out. A pod that differs from what is wanted has to be restarted.</summary>
    public const string Render = "storecluster.io/render";
}

public static class Labels
{
    public const string Cluster = "storecluster.io/cluster";
    public const string Member = "storecluster.io/member";
    public const string ManagedBy = "app.kubernetes.io/managed-by";
    public const string Operator = "store-operator";
    public const string ManagedByOperator = $"{ManagedBy}={Operator}";

    /// <summary>Keys that users may not set: what the operator finds its objects by.</summary>
    public static bool IsOurs(string key) =>
        key.StartsWith("storecluster.io/", StringComparison.Ordinal) || key is ManagedBy or "app.kubernetes.io/name" or "app.kubernetes.io/instance";

    public static Dictionary<string, string> OfCluster(string cluster) => new()
    {
        ["app.kubernetes.io/name"] = "store",
        ["app.kubernetes.io/instance"] = cluster,
        [ManagedBy] = Operator,
        [Cluster] = cluster,
    };

    /// <summary>What selects every member's pod, and what a Service or a budget selects by.</summary>
    public static Dictionary<string, string> Selector(string cluster) => new() { [Cluster] = cluster };

    /// <summary>What carries it is deleted with the owner.</summary>
    public static V1OwnerReference Owner(IKubernetesObject<V1ObjectMeta> owner) => new()
    {
        ApiVersion = owner.ApiVersion,
        Kind = owner.Kind,
        Name = owner.Metadata.Name,
        Uid = owner.Metadata.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };
}
