using System.Globalization;

namespace Operator.Core;

/// <summary>What a StoreRestore is decided from.</summary>
/// <param name="Cluster">Null when there is none of that name.</param>
/// <param name="Named">The StoreBackup that it names; null when there is none, or none is named.</param>
/// <param name="Other">Another StoreRestore of this cluster that is under way.</param>
/// <param name="Agents">Those that answered.</param>
public sealed record RestoreSurroundings(StoreCluster? Cluster, StoreBackup? Named, string? Other, IReadOnlyDictionary<MemberName, AgentReport> Agents)
{
    /// <summary>What was said against the last request for the safety backup; null when it was taken.</summary>
    public string? Refused { get; init; }
}

/// <summary>What comes next for a StoreRestore. Pure; the shell writes the status, and then asks for the safety backup.</summary>
/// <remarks>
/// 1. it is planned: status says what will be restored, what is lost, and which words confirm it;
/// 2. it is confirmed: from here on its source stays what status says. The safety backup is taken as a StoreBackup's is (<see cref="BackupRun"/>); when it fails, so does this, and nothing was touched;
/// 3. status says Restoring: that is what the StoreCluster's planner waits for (<see cref="RestorationRules"/>). All effects are its own, journalled in the StoreCluster;
/// 4. here it is only watched until the cluster is ready.
/// The words name the epoch that is given up, and the epoch changes with the first effect: words of before confirm nothing after.
/// </remarks>
/// <param name="Ask">The member whose agent is to be asked for the safety backup now; null for nobody.</param>
public sealed record RestoreRun(StoreRestoreStatus Status, MemberName? Ask)
{
    static readonly TimeSpan PlanAnew = TimeSpan.FromSeconds(30);

    public static RestoreRun Decide(StoreRestore restore, RestoreSurroundings around, DateTime now)
    {
        var status = restore.Status ?? new StoreRestoreStatus();
        if (status.Ended) return new RestoreRun(status, Ask: null);
        var run = status.Phase switch
        {
            StoreRestoreStatus.TakingSafetyBackup => Secure(restore, status, around, now),
            StoreRestoreStatus.Restoring or StoreRestoreStatus.Joining => new RestoreRun(Follow(restore, status, around.Cluster, now), Ask: null),
            _ => new RestoreRun(Plan(restore, status, around, now), Ask: null),
        };
        return run with { Status = Concluded(restore, run.Status, now) };
    }

    /// <summary>The words that confirm it while this epoch lasts.</summary>
    public static string Words(StoreCluster cluster) => $"{cluster.Metadata.Name}@epoch={EpochOf(cluster)}";

    static int EpochOf(StoreCluster cluster) => cluster.Status?.Epoch ?? 1;

    static StoreRestoreStatus Plan(StoreRestore restore, StoreRestoreStatus status, RestoreSurroundings around, DateTime now)
    {
        var plan = RestorePlan.Of(restore.Spec, around, now);
        if (plan is RestorePlan.Refused refused) return new StoreRestoreStatus { Phase = StoreRestoreStatus.Pending, Message = refused.Message, Conditions = status.Conditions };
        var (cluster, source) = (around.Cluster!, ((RestorePlan.Possible)plan).Source);
        var fresh = status.PlannedAt is not { } at || now - at >= PlanAnew || status.Source != source || status.EpochAfter != EpochOf(cluster) + 1;
        var planned = status with
        {
            Source = source,
            ClusterId = cluster.Status!.ClusterId ?? cluster.Status.Restoration?.FormerClusterId,
            EpochAfter = EpochOf(cluster) + 1,
            CurrentRevision = fresh ? RevisionOf(around) : status.CurrentRevision,
            PlannedAt = fresh && (status.Source != source || RevisionOf(around) != status.CurrentRevision) ? now : status.PlannedAt,
        };
        if (restore.Spec.Confirm != Words(cluster)) return planned with { Phase = StoreRestoreStatus.AwaitingConfirmation, Message = AskFor(restore.Spec, cluster, planned) };
        return cluster.Status.FormedAt is not null && restore.Spec.SafetyBackup
            ? planned with { Phase = StoreRestoreStatus.TakingSafetyBackup, Message = "the safety backup is being taken", SafetyBackup = null, StartedAt = now }
            : planned with { Phase = StoreRestoreStatus.Restoring, Message = "the StoreCluster is about to be taken back", StartedAt = now };
    }

    static string AskFor(StoreRestoreSpec spec, StoreCluster cluster, StoreRestoreStatus planned)
    {
        var loss = planned.CurrentRevision is { } current ? $" It is at revision {current} now;" : "";
        var kept = cluster.Status!.FormedAt is not null && spec.SafetyBackup ? ", and kept in a backup that is taken first" : "";
        var wrong = spec.Confirm is { } said ? $" (it is {said} now)" : "";
        return $"set spec.confirm to {Words(cluster)}{wrong} to take StoreCluster {spec.Cluster} back to {RestorePlan.Words(planned.Source!)}.{loss} what was written after that is lost to it{kept}. It does not serve until that is done";
    }

    static long? RevisionOf(RestoreSurroundings around) =>
        around.Agents.Count > 0 ? around.Agents.Values.Max(agent => agent.RecoverableRevision) : around.Cluster!.Status!.Backup?.RecoverableRevision;

    static RestoreRun Secure(StoreRestore restore, StoreRestoreStatus status, RestoreSurroundings around, DateTime now)
    {
        if (around.Cluster is null) return new RestoreRun(Fail(status, $"StoreCluster {restore.Spec.Cluster} is gone", now), Ask: null);
        var backup = new StoreBackup { Metadata = restore.Metadata, Spec = new StoreBackupSpec { Cluster = restore.Spec.Cluster }, Status = status.SafetyBackup };
        var run = BackupRun.Decide(backup, around.Cluster, around.Agents, now, around.Refused);
        var taken = status with { SafetyBackup = run.Status };
        return run.Status.Phase switch
        {
            StoreBackupStatus.Succeeded => new RestoreRun(taken with { Phase = StoreRestoreStatus.Restoring, Message = "the StoreCluster is about to be taken back" }, Ask: null),
            StoreBackupStatus.Failed => new RestoreRun(Fail(taken, $"the safety backup failed, and nothing was changed: {run.Status.Message}. Make another StoreRestore, with safetyBackup: false should it not matter what is there now", now), Ask: null),
            _ => new RestoreRun(taken with { Message = $"the safety backup is awaited: {run.Status.Message}. Deleting this StoreRestore gives it up, and nothing is changed" }, run.Ask),
        };
    }

    static StoreRestoreStatus Follow(StoreRestore restore, StoreRestoreStatus status, StoreCluster? cluster, DateTime now)
    {
        if (cluster?.Status is not { } seen) return Fail(status, $"StoreCluster {restore.Spec.Cluster} is gone", now);
        var ready = seen.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.Ready);
        if (seen.Restoration?.Uid != restore.Metadata.Uid)
        {
            return EpochOf(cluster) >= status.EpochAfter && seen.Restoration is { } other
                ? Fail(status, $"epoch {status.EpochAfter} of StoreCluster {restore.Spec.Cluster} was begun by StoreRestore {other.Name}, and nothing was done for this one; make another", now)
                : Anew(restore, status, seen) is { } anew ? Fail(status, anew, now)
                : status with { Message = cluster.Spec.Paused ? $"StoreCluster {restore.Spec.Cluster} is paused; take spec.paused away, or delete this StoreRestore" : Ahead(restore, seen) };
        }

        if (seen.FormedAt is null) return status with { Phase = StoreRestoreStatus.Restoring, Message = Restoring(status, seen) };
        return ready is { Status: "True" }
            ? status with { Phase = StoreRestoreStatus.Succeeded, Message = $"StoreCluster {restore.Spec.Cluster} serves {RestorePlan.Words(status.Source!)} as epoch {status.EpochAfter}{Kept(status)}", CompletedAt = now }
            : status with { Phase = StoreRestoreStatus.Joining, Message = $"it is restored; {ready?.Message}" };
    }

    /// <summary>Nobody confirmed anything for a StoreCluster that was made under the same name since; null when it is the one that was.</summary>
    static string? Anew(StoreRestore restore, StoreRestoreStatus status, StoreClusterStatus seen) =>
        (seen.ClusterId ?? seen.Restoration?.FormerClusterId) is { } id && id != status.ClusterId
            ? $"StoreCluster {restore.Spec.Cluster} was made anew: it was {status.ClusterId} and is {id}. Nothing was done for this one; make another"
            : null;

    /// <summary>What comes before it, where the StoreCluster's rules say that something does.</summary>
    static string Ahead(StoreRestore restore, StoreClusterStatus seen) => seen.Blocked?.FirstOrDefault(blocked => blocked.Rule is "Validate" or "Ownership" or "Identity" or "Token") is { Message: { } message }
        ? $"StoreCluster {restore.Spec.Cluster} cannot be taken back yet: {message}"
        : $"StoreCluster {restore.Spec.Cluster} is about to be taken back";

    /// <summary>A restore that fails tries on; what to do about it is said here.</summary>
    static string Restoring(StoreRestoreStatus status, StoreClusterStatus seen)
    {
        if (seen.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.Restored) is not { Message: { } told } restored) return "the members of the former epoch are being stopped";
        return restored.Reason == PodVerdict.RestoreFailed
            ? $"{told}. To restore something else, delete this StoreRestore and make another{Kept(status)}; the volumes of {string.Join(", ", seen.Restoration!.Retired ?? [])} are untouched until a restore has succeeded"
            : told;
    }

    static string Kept(StoreRestoreStatus status) => status.SafetyBackup is { Id: { } id } safety
        ? string.Create(CultureInfo.InvariantCulture, $"; what was there before is in the backups of cluster {safety.ClusterId} at {safety.Location}, with full backup {id} of revision {safety.Revision}")
        : "";

    static StoreRestoreStatus Fail(StoreRestoreStatus status, string why, DateTime now) => status with { Phase = StoreRestoreStatus.Failed, Message = why, CompletedAt = now };

    static StoreRestoreStatus Concluded(StoreRestore restore, StoreRestoreStatus status, DateTime now)
    {
        var verdict = new Verdict(status.Phase == StoreRestoreStatus.Succeeded ? "True" : "False", status.Phase!, status.Message ?? "");
        var before = restore.Status?.Conditions;
        var condition = Conditions.Set(before, "Complete", verdict, restore.Metadata.Generation, now);
        return before is [var old] && old.Status == condition.Status && old.Reason == condition.Reason && old.Message == condition.Message ? status with { Conditions = before } : status with { Conditions = [condition] };
    }
}
