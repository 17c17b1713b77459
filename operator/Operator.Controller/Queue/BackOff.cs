namespace Operator.Controller;

internal static class BackOff
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_most = TimeSpan.FromMinutes(5);

    /// <summary>5 ms, 10 ms, 20 ms, ... up to five minutes, reached at the 17th failure in a row.</summary>
    public static TimeSpan After(int failures)
    {
        var milliseconds = s_first.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 30) - 1);
        return milliseconds >= s_most.TotalMilliseconds ? s_most : TimeSpan.FromMilliseconds(milliseconds);
    }
}
