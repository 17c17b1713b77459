using System.Globalization;

namespace Store.Agent;

/// <summary>What to go back to.</summary>
public abstract record RecoveryTarget
{
    RecoveryTarget() { }

    /// <summary>As far as the backups go.</summary>
    public sealed record Latest : RecoveryTarget;

    /// <summary>The last known moment not after this one: the state holds nothing that was written later.</summary>
    public sealed record Time(DateTimeOffset At) : RecoveryTarget;

    public sealed record Revision(long At) : RecoveryTarget;
}

/// <summary>Which backups make the state of a revision: a full one, and deltas behind it that leave no gap.</summary>
/// <param name="Chain">The full one first.</param>
/// <param name="Until">At most the end of the last.</param>
public sealed record RecoveryPlan(IReadOnlyList<Manifest> Chain, long Until)
{
    /// <summary>Over the manifests of one cluster. A value, or why there is none, with what there is instead.</summary>
    public static RecoveryPlan? Find(IReadOnlyCollection<Manifest> backups, RecoveryTarget target, out string why)
    {
        why = "";
        switch (target)
        {
            case RecoveryTarget.Latest:
                if (Newest(backups) is { } newest) return newest;
                why = "there is no full backup";
                return null;
            case RecoveryTarget.Time(var at):
                if (AtTime(backups, at) is { } then) return then;
                why = $"no backup is from {Text(at)} or before{Instead(backups)}";
                return null;
            case RecoveryTarget.Revision(var revision):
                if (To(backups, revision) is { } plan) return plan;
                why = $"no backup holds revision {revision}{Instead(backups)}";
                return null;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>The furthest moment that can be reached.</summary>
    public static RecoveryPlan? Newest(IReadOnlyCollection<Manifest> backups) =>
        Histories(backups).Select(NewestOf).FirstOrDefault(plan => plan is not null);

    /// <summary>The newest state before this one's that none of the damaged ones is needed for, as it is found by its revision alone.</summary>
    /// <remarks>
    /// Full 100, deltas 100-120 and 120-140, and the last is damaged: 120. The state of a revision takes all deltas that end with it, so where one that only has leases
    /// (120-120) is the damaged one, 119 is as far as one comes.
    /// </remarks>
    /// <param name="backups">Those of the cluster, the damaged among them.</param>
    public RecoveryPlan? Avoid(IReadOnlyCollection<Manifest> damaged, IReadOnlyCollection<Manifest> backups) =>
        backups.SelectMany(backup => new[] { backup.To, backup.To - 1 }).Where(revision => revision > 0 && revision <= Until).Distinct().OrderDescending()
            .Select(revision => To(backups, revision)).FirstOrDefault(other => other is not null && !other.Chain.Any(damaged.Contains));

    static RecoveryPlan? NewestOf(IReadOnlyCollection<Manifest> history) =>
        history.OrderByDescending(backup => (backup.To, backup.AppliedIndex)).Select(end => ToIn(history, end.To)).FirstOrDefault(plan => plan is not null);

    static RecoveryPlan? AtTime(IReadOnlyCollection<Manifest> backups, DateTimeOffset at) =>
        Histories(backups)
            .SelectMany(history => history.SelectMany(backup => backup.Points).Select(point => (Point: point, History: history)))
            .Where(moment => moment.Point.Time <= at).OrderByDescending(moment => (moment.Point.Time, moment.Point.Revision))
            .Select(moment => ToIn(moment.History, moment.Point.Revision)).FirstOrDefault(plan => plan is not null);

    static RecoveryPlan? To(IReadOnlyCollection<Manifest> backups, long revision) =>
        Histories(backups).Select(history => ToIn(history, revision)).FirstOrDefault(plan => plan is not null);

    /// <summary>The one that was gone on with last is the first.</summary>
    static IEnumerable<IReadOnlyCollection<Manifest>> Histories(IReadOnlyCollection<Manifest> backups) =>
        backups.GroupBy(backup => backup.History).OrderByDescending(history => history.Max(backup => backup.Time)).Select(history => history.ToList());

    /// <summary>From the newest full one before it, or else from a later one, which holds all that compaction had left.</summary>
    static RecoveryPlan? ToIn(IReadOnlyCollection<Manifest> backups, long revision)
    {
        var fulls = backups.Where(backup => backup.IsFull).OrderByDescending(backup => (backup.To, backup.AppliedIndex)).ToList();
        foreach (var full in fulls.Where(full => full.To <= revision))
            if (Extend(full, backups, revision) is { } chain) return new(chain, revision);
        return fulls.Where(full => full.To > revision && full.Compacted <= revision && revision > 0).MinBy(full => full.To) is { } later ? new([later], revision) : null;
    }

    /// <summary>Each step takes the delta that leads furthest, up to the first that holds the revision, and what changed without a revision only where the end is the revision. Null where nothing leads on.</summary>
    static List<Manifest>? Extend(Manifest full, IReadOnlyCollection<Manifest> backups, long revision)
    {
        List<Manifest> chain = [full];
        while (true)
        {
            var (to, index) = (chain[^1].To, chain[^1].AppliedIndex);
            var next = backups
                .Where(delta => !delta.IsFull && delta.From <= to && (delta.To, delta.AppliedIndex).CompareTo((to, index)) > 0)
                .Where(delta => to < revision || (to == revision && delta.To == to))
                .MaxBy(delta => delta.To < revision ? (0, delta.To, delta.AppliedIndex) : delta.To == revision ? (2, delta.To, delta.AppliedIndex) : (1, -delta.To, delta.AppliedIndex));
            if (next is null) return to >= revision ? chain : null;
            chain.Add(next);
        }
    }

    static string Instead(IReadOnlyCollection<Manifest> backups) => Newest(backups) is not { } newest
        ? "; there is no full backup at all"
        : $"; the newest that can be restored is revision {newest.Until} of {Text(newest.Chain[^1].Time)}, the oldest full one holds revision {backups.Where(backup => backup.IsFull).Min(backup => backup.To)}";

    static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
