namespace Store.Raft;

/// <summary>Counts ticks up to a limit that is drawn anew for each role, from [T, 2T), so that members rarely stand at once (Raft §5.2).</summary>
struct ElectionTimer(int limit)
{
    public int Elapsed { get; private set; }

    public void Reset() => Elapsed = 0;

    /// <summary>True when the time is over; it then starts again.</summary>
    public bool Tick()
    {
        if (++Elapsed < limit) return false;
        Elapsed = 0;
        return true;
    }
}
