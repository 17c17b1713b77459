namespace Store.Agent;

/// <summary>Finds what to restore, over all clusters at a location.</summary>
public static class BackupChoice
{
    /// <param name="cluster">Its id in hexadecimal; null takes the only one, or for the latest and by time the one that was backed up last.</param>
    /// <exception cref="BackupException">There is nothing like it: the message says what there is.</exception>
    public static RecoveryPlan Find(CatalogueContent content, string? cluster, RecoveryTarget target)
    {
        var clusters = content.Backups.GroupBy(backup => backup.ClusterId).Where(backups => cluster is null || backups.Key == cluster).ToList();
        if (clusters.Count == 0) throw NotThere(content, cluster);
        if (clusters.Count > 1 && target is RecoveryTarget.Revision)
        {
            var ids = string.Join(", ", clusters.Select(backups => backups.Key).Order(StringComparer.Ordinal));
            throw new BackupException(BackupFailure.NotRecoverable, $"there are backups of several clusters, whose revisions differ: {ids}; name one with --backup-cluster");
        }
        var why = "";
        foreach (var backups in clusters.OrderByDescending(backups => backups.Max(backup => backup.Time)))
            if (RecoveryPlan.Find([.. backups], target, out why) is { } plan) return plan;
        throw new BackupException(BackupFailure.NotRecoverable, why + Damage(content));
    }

    static BackupException NotThere(CatalogueContent content, string? cluster) => new(
        BackupFailure.NotRecoverable,
        (cluster is null ? "there are no backups" : $"there are no backups of cluster {cluster}; there are those of {string.Join(", ", content.Backups.Select(backup => backup.ClusterId).Distinct())}") + Damage(content));

    static string Damage(CatalogueContent content) =>
        content.Unusable.Count == 0 ? "" : $" ({content.Unusable.Count} backups cannot be used, the first because of this: {content.Unusable[0].Message})";
}
