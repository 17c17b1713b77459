using Cronos;

namespace Operator.Core;

/// <summary>The times of a cron expression in a time zone. Where clocks are put forward, a time in the hour that is left out is at its end; where they are put back, a
/// time in the hour that comes twice is in the first of them, unless it comes round every hour or minute.</summary>
sealed record CronTimes(CronExpression Expression, TimeZoneInfo Zone)
{
    /// <summary>Null and why, when the text is none: what is wrong, and an example.</summary>
    public static (CronTimes? Times, string? Wrong) Parse(string text, TimeZoneInfo zone)
    {
        try
        {
            var times = new CronTimes(CronExpression.Parse(text, CronFormat.Standard), zone);
            return times.Expression.GetNextOccurrence(new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc)) is null
                ? (null, $"spec.schedule is \"{text}\", which names a day that no calendar has")
                : (times, null);
        }
        catch (Exception wrong) when (wrong is CronFormatException or MissingSeedException)
        {
            return (null, $"spec.schedule is \"{text}\": {wrong.Message.Split(". ", 2)[^1].TrimEnd('.')}; write minute, hour, day of month, month and day of week, such as 0 2 * * *");
        }
    }

    /// <summary>The first one after a moment, UTC; null when there is none any more.</summary>
    public DateTime? After(DateTime moment) => Expression.GetNextOccurrence(moment, Zone);

    /// <summary>The last one that is after <paramref name="from"/> and not after <paramref name="until"/>.</summary>
    public DateTime? LastWithin(DateTime from, DateTime until) => Expression.GetPreviousOccurrence(until, Zone, inclusive: true) is { } last && last > from ? last : null;
}
