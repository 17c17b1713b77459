namespace Operator.Core;

/// <summary>With spec.bootstrap.restore, or after a StoreRestore: True once the cluster has formed from the backup. Null without them.</summary>
static class RestoredCondition
{
    public static Verdict? Judge(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Spec.Bootstrap?.Restore is null && view.Status.Restoration is null) return null;
        if (view.Formed) return new Verdict("True", "Restored", $"the cluster began with {Wanted(view)}");
        if (diagnosis.InvalidSpec is { } invalid) return new Verdict("Unknown", "InvalidSpec", invalid);
        if (view.Status.ClusterToken is null && RestoreSource.Of(view) is RestoreSource.Awaited awaited) return new Verdict("False", awaited.Reason, awaited.Message);
        // A new cluster has nothing to lose: another attempt is another StoreCluster. What to do about one that was there before, its StoreRestore says.
        if (diagnosis.Members.FirstOrDefault(member => member.Health.Reason == PodVerdict.RestoreFailed) is { } failed)
            return new Verdict("False", PodVerdict.RestoreFailed, $"{failed.Health.Message}. It is tried again, and serves nothing until it succeeds{(view.Status.Restoration is null ? "; to restore something else, delete this StoreCluster and apply it with another spec.bootstrap.restore" : "")}");
        return new Verdict("False", PodVerdict.Restoring, $"{Wanted(view)} is being restored");
    }

    static string Wanted(ClusterView view)
    {
        var wanted = view.Status.Restoration is null ? view.Spec.Bootstrap!.Restore! : view.Status.Restore!;
        var whose = wanted.Backup is { } name ? $"of StoreBackup {name}" : "of the backups";
        return (view.Status.Restore ?? wanted) switch
        {
            { Time: { } time } => $"the state of {time} {whose}",
            { Revision: { } revision } => $"revision {revision} {whose}",
            _ => $"the latest state {whose}",
        };
    }
}
