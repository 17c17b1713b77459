namespace Store.Agent;

/// <summary>Decides whether a drill is due: an interval after the last one, by whichever agent, or after the oldest backup where there has been none.</summary>
public static class NextDrill
{
    /// <param name="last">When the last one was held, as the target tells it; null for never.</param>
    /// <param name="oldest">The oldest full backup; null while there is none.</param>
    public static bool IsDue(DateTimeOffset? last, DateTimeOffset? oldest, TimeSpan interval, DateTimeOffset now) =>
        (last ?? oldest) is { } from
        // A time so far ahead is that of a clock that was wrong; waiting for it could mean never.
        && (now - from >= interval || from - now > interval);
}
