namespace Store.Agent;

/// <summary>How many full backups are kept: the newest of each of so many hours, days and weeks (UTC) that have one, and never fewer than the minimum.</summary>
public sealed record RetentionPolicy(int Hourly, int Daily, int Weekly, int FullMin)
{
    public static readonly RetentionPolicy Default = new(24, 7, 5, 2);
}

public static class Retention
{
    /// <summary>
    /// Those that nothing keeps any more. Every revision is kept from the oldest full backup of the first of the hours on, or of the minimum; older ones stand alone, for
    /// their own moment. The oldest of that hour, and not its newest: in a cluster's first hours nobody who takes one more backup should lose the moments before it.
    /// </summary>
    public static IReadOnlyList<Manifest> Expired(IReadOnlyCollection<Manifest> backups, RetentionPolicy policy)
    {
        var fulls = backups.Where(backup => backup.IsFull).OrderByDescending(backup => (backup.Time, backup.Id)).ToList();
        if (fulls.Count == 0) return [];
        var hours = fulls.GroupBy(full => full.Time.UtcDateTime.Ticks / TimeSpan.TicksPerHour).Take(policy.Hourly).ToList();
        var continuous = hours.Select(hour => hour.First()).Concat(hours.TakeLast(1).Select(hour => hour.Last())).Concat(fulls.Take(Math.Max(1, policy.FullMin))).ToHashSet();
        var kept = continuous
            .Concat(Newest(fulls, policy.Daily, time => time.Ticks / TimeSpan.TicksPerDay))
            // Day 0 of the calendar was a Monday.
            .Concat(Newest(fulls, policy.Weekly, time => time.Ticks / TimeSpan.TicksPerDay / 7))
            .ToHashSet();
        var from = continuous.Min(full => full.Time);
        return [.. backups.Where(backup => backup.IsFull ? !kept.Contains(backup) : backup.Time <= from)];
    }

    /// <param name="fulls">Newest first.</param>
    static IEnumerable<Manifest> Newest(IEnumerable<Manifest> fulls, int periods, Func<DateTime, long> periodOf) =>
        fulls.GroupBy(full => periodOf(full.Time.UtcDateTime)).Take(periods).Select(period => period.First());
}
