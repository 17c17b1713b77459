namespace Operator.Core;

/// <summary>With spec.bootstrap.restore: True once the cluster has formed from the backup. Null without it.</summary>
internal static class RestoredCondition
{
    public static Verdict? Judge(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Spec.Bootstrap?.Restore is not { } restore) return null;
        if (view.Formed) return new Verdict("True", "Restored", $"the cluster began with the backup's {Wanted(restore)}");
        if (diagnosis.InvalidSpec is { } invalid) return new Verdict("Unknown", "InvalidSpec", invalid);
        // Nothing is there to be lost: another attempt is another StoreCluster.
        if (diagnosis.Members.FirstOrDefault(member => member.Health.Reason == PodVerdict.RestoreFailed) is { } failed)
            return new Verdict("False", PodVerdict.RestoreFailed, $"{failed.Health.Message}. It is tried again, and serves nothing until it succeeds; to restore something else, delete this StoreCluster and apply it with another spec.bootstrap.restore");
        return new Verdict("False", PodVerdict.Restoring, $"the backup's {Wanted(restore)} is being restored");
    }

    private static string Wanted(RestoreSpec restore) => restore switch
    {
        { Time: { } time } => $"state of {time}",
        { Revision: { } revision } => $"revision {revision}",
        _ => "latest state",
    };
}
