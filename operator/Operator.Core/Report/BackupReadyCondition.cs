namespace Operator.Core;

/// <summary>True while the newest verified recoverable moment is no older than spec.backup.rpo, computed anew in each pass. Null without spec.backup.</summary>
static class BackupReadyCondition
{
    public static Verdict? Judge(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Spec.Backup is not { } backup) return null;
        if (diagnosis.InvalidSpec is { } invalid) return new Verdict("Unknown", "InvalidSpec", invalid);
        if (!view.Formed) return new Verdict("Unknown", "Forming", "the cluster has not formed yet");
        var (rpo, heard) = (Lifetime.Parse(backup.Rpo)!.Value, view.Agents.Count > 0);
        // What was backed up stays so when nobody answers; only that it goes on is not known.
        var until = heard ? BackupReport.Newest(view)!.RecoverableTo?.UtcDateTime : view.Status.Backup?.RecoverableUntil;
        if (until is null) return heard ? Nothing(view) : new Verdict("Unknown", "NoAgentAnswers", "no backup agent answers");
        if (view.ObservedAt - until > rpo) return Behind(view, backup, until.Value, heard);
        if (FailedDrill(view) is { } drill) return new Verdict("False", "DrillFailed", $"the newest backup was restored for practice at {drill.Time:u} and failed: {drill.Message}");
        return heard
            ? new Verdict("True", "Recoverable", $"what was acknowledged more than {backup.Rpo} ago can be restored")
            : new Verdict("Unknown", "NoAgentAnswers", "no backup agent answers");
    }

    static Verdict Nothing(ClusterView view) => view.Agents.LastFailure() is { } failure
        ? new Verdict("False", failure.Failure, $"nothing is backed up: {failure.Message}")
        : new Verdict("False", "FirstBackup", "the first full backup is being taken");

    static Verdict Behind(ClusterView view, BackupSpec backup, DateTime until, bool heard)
    {
        var behind = $"nothing later than {until:u} can be restored, which is more than rpo ({backup.Rpo}) ago";
        if (!heard) return new Verdict("False", "NoAgentAnswers", $"{behind}, and no backup agent answers");
        return view.Agents.LastFailure() is { } failure && failure.At.UtcDateTime > until
            ? new Verdict("False", failure.Failure, $"{behind}: {failure.Message}")
            : new Verdict("False", "Behind", behind);
    }

    /// <summary>A full backup that is newer than the drill is another one than that which failed.</summary>
    static DrillStatus? FailedDrill(ClusterView view) =>
        BackupReport.Drill(view) is { Passed: false } drill && !(BackupReport.Newest(view)?.LastFull?.Time.UtcDateTime > drill.Time) ? drill : null;
}
