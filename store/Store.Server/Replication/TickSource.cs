namespace Store.Server;

/// <summary>
/// When the loop's next ticks are due, by a clock that only runs forward. Ticks that were missed are made up for, but only a few: after a stall (SIGSTOP, a suspended
/// machine) a burst of ticks would let leases and leaders run out before the messages that have queued meanwhile were read.
/// </summary>
sealed class TickSource(TimeProvider time, TimeSpan interval)
{
    const int TicksAtOnceMax = 3;

    long due = time.GetTimestamp() + ToTimestamp(time, interval);

    /// <summary>Zero or less: a tick is due.</summary>
    public TimeSpan UntilNext => TimeSpan.FromSeconds((due - time.GetTimestamp()) / (double)time.TimestampFrequency);

    /// <param name="skipped">Time that no tick is given for.</param>
    public int Take(out TimeSpan skipped)
    {
        skipped = TimeSpan.Zero;
        var now = time.GetTimestamp();
        if (now < due) return 0;
        var step = ToTimestamp(time, interval);
        var ticks = (now - due) / step + 1;
        due += ticks * step;
        if (ticks <= TicksAtOnceMax) return (int)ticks;
        skipped = interval * (ticks - TicksAtOnceMax);
        return TicksAtOnceMax;
    }

    static long ToTimestamp(TimeProvider time, TimeSpan span) => Math.Max(1, (long)(span.TotalSeconds * time.TimestampFrequency));
}
