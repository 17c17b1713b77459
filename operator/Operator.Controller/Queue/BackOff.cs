namespace Operator.Controller;

static class BackOff
{
    static readonly TimeSpan First = TimeSpan.FromMilliseconds(5);
    static readonly TimeSpan Most = TimeSpan.FromMinutes(5);

    /// <summary>5 ms, 10 ms, 20 ms, ... up to five minutes, reached at the 17th failure in a row.</summary>
    public static TimeSpan After(int failures)
    {
        var milliseconds = First.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 30) - 1);
        return milliseconds >= Most.TotalMilliseconds ? Most : TimeSpan.FromMilliseconds(milliseconds);
    }
}
