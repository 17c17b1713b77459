namespace Operator.Core;

/// <summary>What spec.backup may say, beyond the limits of its single fields.</summary>
static class BackupValidation
{
    static readonly TimeSpan ShortestRpo = TimeSpan.FromMinutes(1);

    public static string? Check(StoreClusterSpec spec)
    {
        if (spec.Backup is not { } backup) return null;
        return Target("spec.backup.target", backup.Target) ?? Intervals(backup) ?? SpecValidation.RequestsWithinLimits("spec.backup.resources", backup.Resources)
            ?? SpecValidation.MoreThanZero("spec.backup.scratchSize", backup.ScratchSize);
    }

    public static string? Target(string path, BackupTargetSpec target) =>
        new object?[] { target.S3, target.Azure, target.Volume }.Count(kind => kind is not null) is var kinds && kinds == 1 ? null : $"{path} needs one of s3, azure and volume, and has {(kinds == 0 ? "none" : kinds)} of them";

    static string? Intervals(BackupSpec backup)
    {
        var (rpo, delta, full) = (Lifetime.Parse(backup.Rpo)!.Value, Of(backup.DeltaInterval), Of(backup.FullInterval));
        if (rpo < ShortestRpo) return $"spec.backup.rpo is {backup.Rpo}; use at least 1m: what changes without a write is stored every 30 s";
        if (rpo < 2 * delta) return $"spec.backup.rpo is {backup.Rpo}; use at least twice deltaInterval ({backup.DeltaInterval}), or each late delta would break it";
        return full <= delta ? $"spec.backup.fullInterval is {backup.FullInterval}; use more than deltaInterval ({backup.DeltaInterval})" : null;
    }

    static TimeSpan? Of(string? text) => text is null ? null : Lifetime.Parse(text);
}
