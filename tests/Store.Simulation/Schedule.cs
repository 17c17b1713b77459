namespace Store.Simulation;

/// <summary>Virtual time: what happens next happens at once, and things of one moment in the order in which they were planned.</summary>
sealed class Schedule
{
    readonly PriorityQueue<Action, (long At, long Order)> queue = new();
    long planned;

    /// <summary>Microseconds since the start.</summary>
    public long Now { get; private set; }

    /// <summary>Things that have happened; orders the events of one moment.</summary>
    public long Step { get; private set; }

    public void After(long microseconds, Action action) => queue.Enqueue(action, (Now + Math.Max(0, microseconds), planned++));

    /// <summary>Lets things happen until the time has come or the condition holds. False when time ran out first.</summary>
    public bool RunUntil(long time, Func<bool>? condition = null)
    {
        while (queue.TryPeek(out _, out var next) && next.At <= time)
        {
            if (condition?.Invoke() == true) return true;
            Now = next.At;
            Step++;
            queue.Dequeue()();
        }
        if (condition?.Invoke() == true) return true;
        Now = Math.Max(Now, time);
        return condition is null;
    }
}
