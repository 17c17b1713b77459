namespace Store.Server;

/// <summary>
/// Bounds how often a line is written that strangers can cause, who must not be able to fill a disk with it: <see cref="LinesMax"/> in a minute, and the next line
/// says how many were left out.
/// </summary>
/// <remarks>
/// Somebody opens a thousand connections and gives up on each. Sixty lines tell who; the first one of the next minute has "unsaid": 940. A disk gets some twenty
/// megabytes a day.
/// </remarks>
sealed class LineRate(TimeProvider time)
{
    public const int LinesMax = 60;

    static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    readonly Lock gate = new();
    long began = time.GetTimestamp();
    int said;
    int left;

    /// <param name="unsaid">Since the last line that was written.</param>
    public bool MaySay(out int unsaid)
    {
        lock (gate)
        {
            if (time.GetElapsedTime(began) >= Period) (began, said) = (time.GetTimestamp(), 0);
            unsaid = left;
            if (said == LinesMax)
            {
                left++;
                return false;
            }

            said++;
            left = 0;
            return true;
        }
    }
}
