using System.Globalization;

namespace Operator.Core;

/// <summary>What spec.bootstrap may say, and that it says what the cluster began with.</summary>
static class BootstrapValidation
{
    /// <summary>Names what a cluster begins with, to be latched before it does; null where it begins empty.</summary>
    public static string? Latch(StoreClusterSpec spec) => spec.Bootstrap?.Restore is { } restore ? Fingerprint.Of(restore) : null;

    public static string? Check(StoreCluster cluster)
    {
        if (cluster.Status?.ClusterToken is not null && cluster.Status.Bootstrap != Latch(cluster.Spec))
            return "spec.bootstrap says how a cluster begins, and this one has; make another StoreCluster to begin anew, with spec.bootstrap.restore from a backup";
        if (cluster.Spec.Bootstrap?.Restore is not { } restore) return null;
        if (restore is { Time: not null, Revision: not null }) return "spec.bootstrap.restore has time and revision; give one of them, or neither for the latest";
        if (restore.Time is { } time && !DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            return $"spec.bootstrap.restore.time is \"{time}\", which is no moment of the calendar; write it like 2026-11-27T20:34:00Z";
        if (restore is { Backup: not null, From: not null }) return "spec.bootstrap.restore has backup and from; give the name of a StoreBackup or a location, and not both";
        if (restore is { Backup: not null, ClusterId: not null } or { Backup: not null, EncryptionKeySecret: not null })
            return $"spec.bootstrap.restore has {(restore.ClusterId is null ? "encryptionKeySecret" : "clusterId")} beside backup; leave it out, for the StoreBackup knows its own, or write from instead of backup";
        if (restore.Backup is not null) return null;
        return restore.From is { } from ? BackupValidation.Target("spec.bootstrap.restore.from", from)
            : "spec.bootstrap.restore has neither backup nor from; name a StoreBackup, or say where the backups are";
    }
}
