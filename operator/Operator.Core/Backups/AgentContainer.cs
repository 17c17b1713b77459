using k8s.Models;

namespace Operator.Core;

/// <summary>The backup agent beside a member's store, from the same image and without a Kubernetes token. It has no readiness of its own: a member serves whatever
/// becomes of its backups.</summary>
public static class AgentContainer
{
    public const string Name = "backup-agent";

    /// <summary>The member's share of processor time for each of the agent's.</summary>
    const int MemberShares = 10;

    const string Pod = "POD_NAME", Login = "backup-login", LoginFolder = "/etc/store/backup-login", Scratch = "backup-scratch";

    /// <summary>Null without spec.backup.</summary>
    internal static V1Container? Build(StoreCluster cluster, string image)
    {
        if (cluster.Spec.Backup is not { } backup) return null;
        var mounts = MountsOf(backup);
        return new V1Container
        {
            Name = Name,
            Image = image,
            ImagePullPolicy = cluster.Spec.Image.PullPolicy,
            Command = ["/app/store", "agent"],
            Args = [$"--location={mounts.Location}", .. mounts.Arguments(), .. Schedule(backup), .. Member(cluster), "--scratch-dir=/scratch", $"--listen-metrics-urls=http://0.0.0.0:{Ports.Agent}", .. Control(cluster.Spec)],
            // Its member by the name that certificates have, written so that all members have the same template.
            Env = [new V1EnvVar { Name = Pod, ValueFrom = new V1EnvVarSource { FieldRef = new V1ObjectFieldSelector { FieldPath = "metadata.name" } } }],
            TerminationMessagePolicy = "FallbackToLogsOnError",
            Ports =
            [
                new V1ContainerPort { Name = "backup", ContainerPort = Ports.Agent, Protocol = "TCP" },
                .. TakesRequestsByTls(cluster.Spec) ? [new V1ContainerPort { Name = "backup-control", ContainerPort = Ports.AgentControl, Protocol = "TCP" }] : Array.Empty<V1ContainerPort>(),
            ],
            Resources = ResourcesOf(cluster.Spec.Resources, backup.Resources),
            LivenessProbe = new V1Probe
            {
                HttpGet = new V1HTTPGetAction { Path = "/health", Port = "backup", Scheme = "HTTP" },
                InitialDelaySeconds = 10,
                PeriodSeconds = 10,
                FailureThreshold = 6,
                TimeoutSeconds = 5,
            },
            SecurityContext = MemberStatefulSet.Restricted(),
            VolumeMounts =
            [
                new V1VolumeMount { Name = Scratch, MountPath = "/scratch" },
                new V1VolumeMount { Name = "tmp", MountPath = "/tmp" },
                .. mounts.Mounts(),
                .. cluster.Spec.WantsAuth ? [new V1VolumeMount { Name = Login, MountPath = LoginFolder, ReadOnlyProperty = true }] : Array.Empty<V1VolumeMount>(),
                .. MemberTls.Mounts(cluster.Spec, TlsSide.Client),
            ],
        };
    }

    internal static IEnumerable<V1Volume> Volumes(StoreCluster cluster)
    {
        if (cluster.Spec.Backup is not { } backup) yield break;
        yield return new V1Volume { Name = Scratch, EmptyDir = new V1EmptyDirVolumeSource { SizeLimit = backup.ScratchSize?.ToResourceQuantity() } };
        foreach (var volume in MountsOf(backup).Volumes()) yield return volume;
        // It is there once authentication is being turned on.
        if (cluster.Spec.WantsAuth) yield return BackupMounts.Secret(Login, Names.OperatorLogin(cluster.Metadata.Name));
    }

    /// <summary>
    /// Where nothing is said of the agent's, a tenth of its member's processor: containers get processor time by their requests when there is too little of it, and one without
    /// is as good as out of it, so that backups would fall behind on a busy node. No limit: what is idle may be used.
    /// </summary>
    static V1ResourceRequirements? ResourcesOf(ResourcesSpec? member, ResourcesSpec? agent)
    {
        if (agent is not null) return MemberStatefulSet.Resources(agent);
        // A limit without a request is taken for the request by Kubernetes, too.
        if ((Processor(member?.Requests) ?? Processor(member?.Limits)) is not { } cores) return null;
        var thousandths = (long)Math.Ceiling(cores * 1000 / MemberShares);
        return new V1ResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new($"{thousandths}m") } };
    }

    static decimal? Processor(IReadOnlyDictionary<string, Quantity>? quantities) =>
        quantities is not null && quantities.TryGetValue("cpu", out var cores) ? cores.ToResourceQuantity().ToDecimal() : null;

    /// <summary>As its member does.</summary>
    static bool TakesRequestsByTls(StoreClusterSpec spec) => spec.Issuer(TlsSide.Client) is not null;

    static IEnumerable<string> Control(StoreClusterSpec spec) => TakesRequestsByTls(spec) ? [$"--listen-control-urls=https://0.0.0.0:{Ports.AgentControl}"] : [];

    static BackupMounts MountsOf(BackupSpec backup) => new("backup", backup.Target, backup.EncryptionKeySecret);

    static IEnumerable<string> Schedule(BackupSpec backup)
    {
        if (backup.FullInterval is { } full) yield return $"--full-interval={full}";
        if (backup.DeltaInterval is { } delta) yield return $"--delta-interval={delta}";
        if (backup.Drill is { Enabled: false }) yield return "--drill-interval=0s";
        else if (backup.Drill?.Interval is { } drill) yield return $"--drill-interval={drill}";
        if (backup.Retention?.Hourly is { } hourly) yield return $"--keep-hourly={hourly}";
        if (backup.Retention?.Daily is { } daily) yield return $"--keep-daily={daily}";
        if (backup.Retention?.Weekly is { } weekly) yield return $"--keep-weekly={weekly}";
        if (backup.Retention?.Minimum is { } minimum) yield return $"--keep-min={minimum}";
    }

    /// <summary>How it reaches the store beside it, and the other members: with the member's own certificate, and as the operator where users are asked who they are.</summary>
    static IEnumerable<string> Member(StoreCluster cluster)
    {
        var spec = cluster.Spec;
        yield return $"--endpoint={spec.Scheme(TlsSide.Client)}://$({Pod}).{Names.PeerService(cluster.Metadata.Name)}.{cluster.Metadata.NamespaceProperty}.svc:{Ports.Client}";
        if (spec.Issuer(TlsSide.Client) is not null)
        {
            var folder = MemberTls.Folder(TlsSide.Client);
            yield return $"--cacert={folder}/{CertificateSecret.AuthorityEntry}";
            yield return $"--cert={folder}/{CertificateSecret.CertificateEntry}";
            yield return $"--key={folder}/{CertificateSecret.KeyEntry}";
        }

        if (!spec.WantsAuth) yield break;
        yield return $"--user={OperatorLogin.User}";
        yield return $"--password-file={LoginFolder}/{OperatorLogin.Key}";
    }
}
