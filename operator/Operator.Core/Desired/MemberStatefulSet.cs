using k8s.Models;

namespace Operator.Core;

/// <summary>One member: a StatefulSet of one pod, so that this member can be repaired, rolled or moved while the others are left alone, and so that its
/// pod still comes back while no operator runs.</summary>
public static class MemberStatefulSet
{
    /// <summary>The user of .NET's chiseled images; written as a number because the kubelet cannot check a name against runAsNonRoot.</summary>
    const long User = 1654;

    public static V1StatefulSet Build(StoreCluster cluster, MemberName member, Ticket ticket, string clusterToken, string image)
    {
        var labels = Labels.OfCluster(cluster.Metadata.Name);
        labels[Labels.Member] = member.ToString();
        var pod = Pod(cluster, image);
        var added = cluster.Spec.PodTemplate;
        var render = Render(cluster, pod);
        pod.Containers[0].Args = [.. Arguments(cluster, member, ticket, clusterToken), .. pod.Containers[0].Args];
        if (RestoreContainer.Build(cluster, member, ticket, clusterToken, image) is { } restore) pod.InitContainers = [restore, .. pod.InitContainers ?? []];
        pod.Volumes = [.. pod.Volumes, .. MemberTls.Volumes(cluster.Spec, member), .. RestoreContainer.Volumes(cluster, ticket)];
        var annotations = new Dictionary<string, string>
        {
            [Annotations.Ticket] = ticket.Kind.ToString().ToLowerInvariant(),
            [Annotations.InitialCluster] = ticket.InitialCluster,
            [Annotations.ClusterToken] = clusterToken,
        };
        if (cluster.Status?.Epoch is { } epoch) annotations[Annotations.Epoch] = epoch.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Applied.Stamp(new V1StatefulSet
        {
            ApiVersion = "apps/v1",
            Kind = "StatefulSet",
            Metadata = new V1ObjectMeta
            {
                Name = member.ToString(),
                NamespaceProperty = cluster.Metadata.NamespaceProperty,
                Labels = labels,
                OwnerReferences = [Labels.Owner(cluster)],
                Annotations = annotations,
            },
            Spec = new V1StatefulSetSpec
            {
                Replicas = 1,
                ServiceName = Names.PeerService(cluster.Metadata.Name),
                PodManagementPolicy = "Parallel",
                // The operator deletes the pod when its turn comes: then sealing a ticket or changing a label restarts nothing.
                UpdateStrategy = new V1StatefulSetUpdateStrategy { Type = "OnDelete" },
                RevisionHistoryLimit = 2,
                Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { [Labels.Member] = member.ToString() } },
                Template = new V1PodTemplateSpec
                {
                    Metadata = new V1ObjectMeta
                    {
                        Labels = Additions.Under(new Dictionary<string, string>(labels), added?.Labels),
                        Annotations = Additions.Under(PodAnnotations(cluster, render), added?.Annotations),
                    },
                    Spec = pod,
                },
                VolumeClaimTemplates = [Claim(cluster, labels)],
            },
        });
    }

    /// <summary>Names what a cluster's pods are made from: everything that needs a restart to take effect, and nothing else.</summary>
    public static string Render(StoreCluster cluster, string image) => Render(cluster, Pod(cluster, image));

    /// <summary>Of a pod without its member's own arguments: the ticket changes while a member serves.</summary>
    static string Render(StoreCluster cluster, V1PodSpec pod)
    {
        var added = cluster.Spec.PodTemplate;
        // Scrape annotations are there unless somebody wants to be without them: so it is their absence that makes a difference.
        var annotations = cluster.Spec.Monitoring.Annotations ? Additions.Of(added?.Annotations) : Additions.Under(new Dictionary<string, string> { ["prometheus.io/scrape"] = "" }, added?.Annotations);
        return Fingerprint.Of(new V1PodTemplateSpec
        {
            Metadata = new V1ObjectMeta { Labels = Additions.Of(added?.Labels), Annotations = annotations },
            Spec = pod,
        });
    }

    static Dictionary<string, string> PodAnnotations(StoreCluster cluster, string render)
    {
        var annotations = new Dictionary<string, string> { [Annotations.Render] = render };
        if (!cluster.Spec.Monitoring.Annotations) return annotations;
        annotations["prometheus.io/scrape"] = "true";
        annotations["prometheus.io/port"] = $"{Ports.Metrics}";
        annotations["prometheus.io/path"] = "/metrics";
        return annotations;
    }

    static V1PodSpec Pod(StoreCluster cluster, string image)
    {
        var (added, scheduling) = (cluster.Spec.PodTemplate, cluster.Spec.Scheduling);
        return new V1PodSpec
        {
            // The store never talks to Kubernetes: a pod that is broken into holds no token.
            AutomountServiceAccountToken = false,
            EnableServiceLinks = false,
            ServiceAccountName = added?.ServiceAccountName,
            TerminationGracePeriodSeconds = added?.TerminationGracePeriodSeconds ?? 60,
            ImagePullSecrets = cluster.Spec.Image.PullSecrets?.Select(secret => new V1LocalObjectReference { Name = secret.Name }).ToList(),
            SecurityContext = new V1PodSecurityContext
            {
                RunAsNonRoot = true,
                RunAsUser = User,
                RunAsGroup = User,
                FsGroup = User,
                FsGroupChangePolicy = "OnRootMismatch",
                SeccompProfile = new V1SeccompProfile { Type = "RuntimeDefault" },
            },
            Affinity = Placement.Affinity(cluster),
            TopologySpreadConstraints = Placement.OverZones(cluster),
            NodeSelector = Additions.Of(scheduling?.NodeSelector),
            Tolerations = scheduling?.Tolerations is { Count: > 0 } tolerations ? [.. tolerations] : null,
            PriorityClassName = scheduling?.PriorityClassName,
            SchedulerName = scheduling?.SchedulerName,
            InitContainers = added?.InitContainers is { Count: > 0 } init ? [.. init] : null,
            Containers = [Container(cluster, image), .. AgentContainer.Build(cluster, image) is { } agent ? [agent] : Array.Empty<V1Container>(), .. added?.Sidecars ?? []],
            Volumes = [new V1Volume { Name = "tmp", EmptyDir = new V1EmptyDirVolumeSource() }, .. MemberTls.SharedVolumes(cluster.Spec), .. AgentContainer.Volumes(cluster), .. added?.Volumes ?? []],
        };
    }

    static V1Container Container(StoreCluster cluster, string image) => new()
    {
        Name = "store",
        Image = image,
        ImagePullPolicy = cluster.Spec.Image.PullPolicy,
        Command = ["/app/store"],
        Args = [.. ServerArguments.Of(cluster.Spec.Server), .. MemberTls.Arguments(cluster.Spec)],
        Env = cluster.Spec.PodTemplate?.Env?.Select(variable => new V1EnvVar { Name = variable.Name, Value = variable.Value }).ToList(),
        // The store's last words reach status.members without a look into its log.
        TerminationMessagePolicy = "FallbackToLogsOnError",
        Ports =
        [
            new V1ContainerPort { Name = "client", ContainerPort = Ports.Client, Protocol = "TCP" },
            new V1ContainerPort { Name = "peer", ContainerPort = Ports.Peer, Protocol = "TCP" },
            new V1ContainerPort { Name = "metrics", ContainerPort = Ports.Metrics, Protocol = "TCP" },
        ],
        Resources = Resources(cluster.Spec.Resources),
        // Startup: five minutes, for a log to be replayed. Liveness asks only whether the process turns over, never for a quorum: restarting members of a
        // cluster that has lost its quorum makes it worse.
        StartupProbe = Probe("/livez", periodSeconds: 2, failureThreshold: 150),
        LivenessProbe = Probe("/livez", periodSeconds: 10, failureThreshold: 6),
        ReadinessProbe = Probe("/readyz", periodSeconds: 3, failureThreshold: 3),
        SecurityContext = Restricted(),
        VolumeMounts =
        [
            new V1VolumeMount { Name = "data", MountPath = "/data" },
            new V1VolumeMount { Name = "tmp", MountPath = "/tmp" },
            .. MemberTls.Mounts(cluster.Spec),
            .. cluster.Spec.PodTemplate?.VolumeMounts ?? [],
        ],
    };

    static List<string> Arguments(StoreCluster cluster, MemberName member, Ticket ticket, string clusterToken)
    {
        var (space, client, peer) = (cluster.Metadata.NamespaceProperty, cluster.Spec.Scheme(TlsSide.Client), cluster.Spec.Scheme(TlsSide.Peer));
        return
        [
            $"--name={member}",
            // A folder below the mount point, because the volume's own root may hold lost+found and belongs to root.
            $"--data-dir=/data/{member}",
            // 0.0.0.0 and not [::]: a node without IPv6 refuses the latter.
            $"--listen-client-urls={client}://0.0.0.0:{Ports.Client}",
            $"--advertise-client-urls={member.ClientUrl(space, client)}",
            $"--listen-peer-urls={peer}://0.0.0.0:{Ports.Peer}",
            $"--initial-advertise-peer-urls={member.PeerUrl(space, peer)}",
            // Probes and Prometheus have no certificates; what is told here is no secret.
            $"--listen-metrics-urls=http://0.0.0.0:{Ports.Metrics}",
            $"--initial-cluster={ticket.InitialCluster}",
            $"--initial-cluster-state={ticket.InitialClusterState}",
            $"--initial-cluster-token={clusterToken}",
        ];
    }

    /// <summary>What every container of the store's image may do.</summary>
    internal static V1SecurityContext Restricted() => new()
    {
        AllowPrivilegeEscalation = false,
        ReadOnlyRootFilesystem = true,
        Capabilities = new V1Capabilities { Drop = ["ALL"] },
    };

    static V1Probe Probe(string path, int periodSeconds, int failureThreshold) => new()
    {
        HttpGet = new V1HTTPGetAction { Path = path, Port = "metrics", Scheme = "HTTP" },
        PeriodSeconds = periodSeconds,
        FailureThreshold = failureThreshold,
        TimeoutSeconds = 5,
    };

    internal static V1ResourceRequirements? Resources(ResourcesSpec? resources) => resources is null
        ? null
        : new V1ResourceRequirements { Requests = Quantities(resources.Requests), Limits = Quantities(resources.Limits) };

    static Dictionary<string, ResourceQuantity>? Quantities(IReadOnlyDictionary<string, Quantity>? quantities) =>
        quantities?.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary(pair => pair.Key, pair => pair.Value.ToResourceQuantity());

    static V1PersistentVolumeClaim Claim(StoreCluster cluster, Dictionary<string, string> labels) => new()
    {
        ApiVersion = "v1",
        Kind = "PersistentVolumeClaim",
        Metadata = new V1ObjectMeta { Name = "data", Labels = labels },
        Spec = new V1PersistentVolumeClaimSpec
        {
            AccessModes = ["ReadWriteOnce"],
            StorageClassName = cluster.Spec.Storage.StorageClassName,
            Resources = new V1VolumeResourceRequirements
            {
                Requests = new Dictionary<string, ResourceQuantity> { ["storage"] = cluster.Spec.Storage.Size.ToResourceQuantity() },
            },
        },
    };
}
