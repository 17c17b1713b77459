namespace Store.Agent;

/// <summary>Looks for what can be restored in place of a plan that met damage. What is offered was read, so that nobody is sent from one damaged backup to the next.</summary>
public static class SoundPlan
{
    /// <param name="failed">Whose chain was read up to the damaged backup.</param>
    /// <param name="backups">Of the cluster that it is of.</param>
    /// <param name="scratch">Takes one backup at a time, unpacked.</param>
    /// <returns>The newest state before that of the plan; null when none can be restored.</returns>
    public static async Task<RecoveryPlan?> FindAsync(
        RecoveryPlan failed, Manifest damaged, IReadOnlyCollection<Manifest> backups, BackupReader reader, string scratch, CancellationToken cancellationToken)
    {
        List<Manifest> unsound = [damaged];
        var sound = failed.Chain.TakeWhile(backup => backup != damaged).ToList();
        while (failed.Avoid(unsound, backups) is { } other)
        {
            try
            {
                foreach (var backup in other.Chain.Except(sound).ToList())
                {
                    using var read = await UnpackedBackups.OpenAsync(other with { Chain = [backup] }, reader, scratch, cancellationToken);
                    sound.Add(backup);
                }
                return other;
            }
            catch (BackupException e) when (e.Backup is { } another)
            {
                unsound.Add(another);
            }
            catch (BackupException)
            {
                // It cannot be read now: whether it is sound is seen when it is restored.
                return other;
            }
        }
        return null;
    }
}
