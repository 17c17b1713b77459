namespace Operator.Core;

/// <summary>True when every member that answers can write, and none has lost its disk; Unknown when nobody answers.</summary>
static class StorageCondition
{
    public static Verdict Judge(Diagnosis diagnosis)
    {
        if (diagnosis.Members.FirstOrDefault(member => member.Health.Reason == PodVerdict.DiskLost) is { } lost) return new Verdict("False", PodVerdict.DiskLost, lost.Health.Message);
        if (Raised(diagnosis, "CORRUPT") is { } corrupt) return new Verdict("False", "Corrupt", $"{corrupt} differs from the others: its CORRUPT alarm is raised");
        if (Raised(diagnosis, "NOSPACE") is { } full)
            return new Verdict("False", "NoSpace", $"{full} is above its quota, so writes are refused: delete or compact, or raise spec.server.quotaBytes");
        return diagnosis.View.Reports.Count == 0
            ? new Verdict("Unknown", "NoAnswer", "no member answers")
            : new Verdict("True", "Healthy", "no member has an alarm");
    }

    static MemberName? Raised(Diagnosis diagnosis, string alarm) => diagnosis.View.Reports.OrderBy(pair => pair.Key.Number)
        .Where(pair => pair.Value.Errors.Any(error => error.Contains(alarm, StringComparison.Ordinal))).Select(pair => (MemberName?)pair.Key).FirstOrDefault();
}
