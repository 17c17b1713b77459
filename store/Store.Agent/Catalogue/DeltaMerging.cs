using System.Collections.Immutable;

namespace Store.Agent;

/// <summary>
/// Which deltas to make one of. Deltas come every few seconds; so many of a level in a row, without a gap, become one of the next level, so that their number grows
/// with the logarithm of time and each change is copied a few times only.
/// </summary>
static class DeltaMerging
{
    public const int RunLength = 32;

    /// <summary>More would make the manifests of months large; times in between are then rounded to earlier ones.</summary>
    const int PointsMax = 4096;

    /// <summary>The oldest run, oldest delta first; null when none is long enough.</summary>
    public static IReadOnlyList<Manifest>? Next(IEnumerable<Manifest> backups)
    {
        foreach (var level in backups.Where(backup => !backup.IsFull).GroupBy(delta => (delta.History, delta.Level)).OrderBy(level => (level.Key.Level, level.Key.History)))
        {
            List<Manifest> run = [];
            foreach (var delta in level.OrderBy(delta => (delta.To, delta.AppliedIndex)))
            {
                if (run.Count > 0 && delta.From != run[^1].To) run.Clear();
                run.Add(delta);
                if (run.Count == RunLength) return run;
            }
        }
        return null;
    }

    public static ImmutableArray<RecoveryPoint> Points(IReadOnlyList<Manifest> run)
    {
        var points = run.SelectMany(delta => delta.Points).ToList();
        var every = (points.Count + PointsMax - 1) / PointsMax;
        return [.. points.Where((_, i) => (points.Count - 1 - i) % every == 0)];
    }
}
