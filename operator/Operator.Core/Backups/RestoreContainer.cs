using k8s.Models;

namespace Operator.Core;

/// <summary>Puts a backup onto the seed's empty disk before its store starts. It is there until the cluster has formed: a member whose ticket is not <c>form</c> never
/// restores, whatever becomes of its disk.</summary>
/// <remarks>
/// 1. the container is started again until it succeeds, and the store's is not started before: a damaged backup is never served;
/// 2. it starts over where it was interrupted, and does nothing on a disk that holds this member already (--once);
/// 3. ids follow from the cluster's own token, so a restored cluster is another one than that which was backed up.
/// </remarks>
static class RestoreContainer
{
    public const string Name = "restore";

    /// <summary>What `store snapshot restore` adds to the revision by itself.</summary>
    public const long Raise = 1_000_000_000;

    /// <summary>Where a backup is unpacked: on the disk that has to take it.</summary>
    const string Scratch = "/data/restore";

    /// <summary>Null where there is nothing to restore for a member with this ticket.</summary>
    public static V1Container? Build(StoreCluster cluster, MemberName member, Ticket ticket, string clusterToken, string image)
    {
        if (ticket.Kind != TicketKind.Form || Wanted(cluster) is not { } restore) return null;
        var mounts = MountsOf(restore);
        return new V1Container
        {
            Name = Name,
            Image = image,
            ImagePullPolicy = cluster.Spec.Image.PullPolicy,
            Command = ["/app/store", "snapshot", "restore"],
            Args =
            [
                $"--from={mounts.Location}", .. mounts.Arguments(), .. Target(restore), .. Above(cluster), "--once", $"--scratch-dir={Scratch}",
                $"--name={member}",
                $"--data-dir=/data/{member}",
                $"--initial-cluster={ticket.InitialCluster}",
                $"--initial-cluster-token={clusterToken}",
                $"--initial-advertise-peer-urls={member.PeerUrl(cluster.Metadata.NamespaceProperty, cluster.Spec.Scheme(TlsSide.Peer))}",
            ],
            // Its last line is what status says.
            TerminationMessagePolicy = "FallbackToLogsOnError",
            Resources = MemberStatefulSet.Resources(cluster.Spec.Resources),
            SecurityContext = MemberStatefulSet.Restricted(),
            VolumeMounts = [new V1VolumeMount { Name = "data", MountPath = "/data" }, new V1VolumeMount { Name = "tmp", MountPath = "/tmp" }, .. mounts.Mounts()],
        };
    }

    public static IEnumerable<V1Volume> Volumes(StoreCluster cluster, Ticket ticket) =>
        ticket.Kind == TicketKind.Form && Wanted(cluster) is { } restore ? MountsOf(restore).Volumes() : [];

    /// <summary>A StoreBackup's name was resolved before the first object was made.</summary>
    static RestoreSpec? Wanted(StoreCluster cluster) => cluster.Status?.Restore ?? cluster.Spec.Bootstrap?.Restore;

    static BackupMounts MountsOf(RestoreSpec restore) => new(Name, restore.From ?? throw new InvalidOperationException("a StoreBackup's name was not resolved before it was restored from"), restore.EncryptionKeySecret);

    /// <summary>A cluster that goes back hands out nothing that it has handed out before, however often it does.</summary>
    static IEnumerable<string> Above(StoreCluster cluster)
    {
        if (cluster.Status?.Restoration is { AboveRevision: var above and > 0 }) yield return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"--above-revision={above}");
    }

    static IEnumerable<string> Target(RestoreSpec restore)
    {
        if (restore.ClusterId is { } cluster) yield return $"--backup-cluster={cluster.PadLeft(16, '0')}";
        if (restore.Time is { } time) yield return $"--to-time={time}";
        if (restore.Revision is { } revision) yield return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"--to-revision={revision}");
    }
}
