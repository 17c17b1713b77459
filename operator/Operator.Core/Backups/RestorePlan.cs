using System.Globalization;

namespace Operator.Core;

/// <summary>Whether a StoreRestore can be done, and from what.</summary>
abstract record RestorePlan
{
    RestorePlan()
    {
    }

    /// <param name="Source">With <see cref="RestoreSpec.From"/> and all else that is needed.</param>
    public sealed record Possible(RestoreSpec Source) : RestorePlan;

    /// <param name="Message">Says what to do, or what is waited for.</param>
    public sealed record Refused(string Message) : RestorePlan;

    public static RestorePlan Of(StoreRestoreSpec spec, RestoreSurroundings around, DateTime now) =>
        Unfit(spec, now) ?? NotNow(spec, around) ?? (RestorePlan)(SourceOf(spec, around) switch
        {
            RestoreSource.Awaited awaited => new Refused(awaited.Message),
            RestoreSource.Found { Restore: var source } => Beyond(source, around) ?? (RestorePlan)new Possible(source),
            _ => throw new System.Diagnostics.UnreachableException(),
        });

    public static string Words(RestoreSpec source) => source switch
    {
        { Time: { } time } => $"the state of {time}",
        { Revision: { } revision } => string.Create(CultureInfo.InvariantCulture, $"revision {revision}"),
        _ => "the latest state that is backed up",
    };

    /// <summary>The schema's rules once more, for API servers that ignore CEL.</summary>
    static Refused? Unfit(StoreRestoreSpec spec, DateTime now)
    {
        if (SchemaLimits.Check(spec, "spec") is { } limit) return new Refused(limit);
        if (spec is { Backup: not null, From: not null }) return new Refused("spec has backup and from; make another StoreRestore with the name of a StoreBackup or a location, and not both");
        if (spec is { Backup: not null, ClusterId: not null }) return new Refused("spec has clusterId beside backup; make another StoreRestore without it, for the StoreBackup knows its own");
        if (spec is { From: null, EncryptionKeySecret: not null }) return new Refused("spec has encryptionKeySecret without from; make another StoreRestore without it: the cluster's own backups have their key from spec.backup, and a StoreBackup knows its own");
        if (spec is { Time: not null, Revision: not null }) return new Refused("spec has time and revision; make another StoreRestore with one of them, or neither for the latest");
        if (spec.From is { } from && BackupValidation.Target("spec.from", from) is { } target) return new Refused(target);
        if (spec.Time is not { } text) return null;
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)) return new Refused($"spec.time is \"{text}\", which is no moment of the calendar; write it like 2026-11-27T20:34:00Z");
        return time.UtcDateTime > now ? new Refused($"spec.time is {text}, which is still to come") : null;
    }

    static Refused? NotNow(StoreRestoreSpec spec, RestoreSurroundings around)
    {
        if (around.Cluster is not { } cluster) return new Refused($"there is no StoreCluster {spec.Cluster} in this namespace; a new one begins with a backup by spec.bootstrap.restore");
        if (cluster.Metadata.DeletionTimestamp is not null) return new Refused($"StoreCluster {spec.Cluster} is being deleted; a new one begins with a backup by spec.bootstrap.restore");
        if (cluster.Status is not { } status || (status.FormedAt is null && status.Restoration is null)) return new Refused($"StoreCluster {spec.Cluster} has not formed yet");
        if (around.Other is { } other) return new Refused($"StoreRestore {other} of StoreCluster {spec.Cluster} is under way; it is waited for");
        if (cluster.Spec.Paused) return new Refused($"StoreCluster {spec.Cluster} is paused; take spec.paused away");
        return spec.SafetyBackup && status.FormedAt is not null && cluster.Spec.Backup is null
            ? new Refused($"StoreCluster {spec.Cluster} has no spec.backup to take the safety backup with; give it one, or make another StoreRestore with safetyBackup: false")
            : null;
    }

    static RestoreSource SourceOf(StoreRestoreSpec spec, RestoreSurroundings around)
    {
        var wanted = new RestoreSpec { Backup = spec.Backup, From = spec.From, EncryptionKeySecret = spec.EncryptionKeySecret, ClusterId = spec.ClusterId, Time = spec.Time, Revision = spec.Revision };
        if (spec is not { Backup: null, From: null }) return RestoreSource.Of(wanted, around.Named);
        var cluster = around.Cluster!;
        return cluster.Spec.Backup is { } own
            ? new RestoreSource.Found(wanted with { From = own.Target, EncryptionKeySecret = own.EncryptionKeySecret, ClusterId = spec.ClusterId ?? cluster.Status!.ClusterId ?? cluster.Status.Restoration?.FormerClusterId })
            : new RestoreSource.Awaited("BackupMissing", $"StoreCluster {spec.Cluster} has no spec.backup, so it has no backups of its own; make another StoreRestore that names a StoreBackup, or says where the backups are (from)");
    }

    /// <summary>Of the cluster's own present backups it is known what they reach. Those of others, the restore itself judges.</summary>
    static Refused? Beyond(RestoreSpec source, RestoreSurroundings around)
    {
        var (status, backup) = (around.Cluster!.Status!, around.Cluster.Spec.Backup);
        if (status.ClusterId is null || source.ClusterId != status.ClusterId || source.From != backup?.Target) return null;
        if (around.Agents.ByNumber().Select(pair => pair.Value).MaxBy(agent => agent.RecoverableTo ?? DateTimeOffset.MinValue) is not { } known) return null;
        if (known.RecoverableTo is not { } until || known.RecoverableFrom is not { } first) return new Refused("the cluster has no backups yet; they are waited for");
        if (source.Revision > known.RecoverableRevision) return new Refused(string.Create(CultureInfo.InvariantCulture, $"revision {source.Revision} is not backed up; the newest that is, is {known.RecoverableRevision}"));
        if (source.Time is not { } text) return null;
        var time = DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
        if (time < first)
            return new Refused($"the oldest backup of cluster {status.ClusterId} is of {first:u}, and spec.time is {text}{(status.Restoration?.FormerClusterId is { } former ? $"; before that the cluster was {former}: make another StoreRestore with that clusterId" : "")}");
        return time > until ? new Refused($"what was written until {text} is not backed up yet, only what was until {until:u}; it is waited for") : null;
    }
}
