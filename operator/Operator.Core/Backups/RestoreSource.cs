namespace Operator.Core;

/// <summary>What is to be restored: said in full, or by the name of a StoreBackup.</summary>
public abstract record RestoreSource
{
    RestoreSource()
    {
    }

    /// <param name="Restore">With <see cref="RestoreSpec.From"/> and all else that is needed, and no name.</param>
    public sealed record Found(RestoreSpec Restore) : RestoreSource;

    /// <param name="Reason">BackupMissing, BackupRunning or BackupFailed.</param>
    /// <param name="Message">A sentence that says what to do.</param>
    public sealed record Awaited(string Reason, string Message) : RestoreSource;

    /// <param name="named">The StoreBackup of the name that is wanted; null when there is none, or none is named.</param>
    public static RestoreSource Of(RestoreSpec wanted, StoreBackup? named)
    {
        if (wanted.Backup is not { } name) return new Found(wanted);
        return named?.Status switch
        {
            _ when named is null => new Awaited("BackupMissing", $"there is no StoreBackup {name} in this namespace; it is waited for"),
            { Phase: StoreBackupStatus.Failed } failed => new Awaited("BackupFailed", $"StoreBackup {name} failed: {failed.Message}; restore from another one, or delete it and have it taken again under the same name"),
            { Phase: StoreBackupStatus.Succeeded, Source: { } source, Revision: { } revision } taken => new Found(new RestoreSpec
            {
                From = source.Target,
                EncryptionKeySecret = source.EncryptionKeySecret,
                ClusterId = taken.ClusterId,
                Time = wanted.Time,
                Revision = wanted is { Time: null, Revision: null } ? revision : wanted.Revision,
            }),
            { Phase: StoreBackupStatus.Succeeded } => new Awaited("BackupFailed", $"StoreBackup {name} does not say in status where it is; restore with from"),
            var status => new Awaited("BackupRunning", $"StoreBackup {name} is not there yet: {status?.Message ?? "nobody has looked at it"}; it is waited for"),
        };
    }

    /// <summary>What the present epoch begins with: as it was latched, else what spec.bootstrap.restore stands for now. Null where a cluster begins empty.</summary>
    internal static RestoreSource? Of(ClusterView view)
    {
        if (view.Status.Restore is { } latched) return new Found(latched);
        return view.Spec.Bootstrap?.Restore is { } wanted ? Of(wanted, view.RestoreBackup) : null;
    }
}
