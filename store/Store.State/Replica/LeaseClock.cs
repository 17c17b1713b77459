namespace Store.State;

/// <summary>
/// When leases run out, in ticks; kept only while this member leads. The log knows which leases there are and what was left at the last checkpoint,
/// the clock alone knows when they end: a new leader starts it anew from there.
/// <example>
/// Granted for 60 s at tick 100 of 100 ms: ends at tick 700. Renewed at tick 650: ends at 1250. The old end is still in the queue; when tick 700
/// comes it is found to be out of date and put back for 1250.
/// </example>
/// </summary>
sealed class LeaseClock(int tickMilliseconds)
{
    /// <summary>Longer leases have what is left written to the log this often, so that a change of leader does not grant it again (etcd: 5 min).</summary>
    const long CheckpointSeconds = 300;

    readonly Dictionary<LeaseId, Held> held = [];
    readonly PriorityQueue<LeaseId, (long Tick, long Id)> ends = new();
    readonly PriorityQueue<LeaseId, (long Tick, long Id)> checkpoints = new();
    readonly long retryTicks = Math.Max(1, 5_000 / tickMilliseconds);

    public int Count => held.Count;

    public bool Holds(LeaseId id) => held.ContainsKey(id);

    /// <param name="remainingSeconds">What is left of it; of a fresh lease all.</param>
    /// <param name="extraTicks">A new leader adds an election timeout: nobody could renew while there was none.</param>
    public void Hold(LeaseId id, long grantedSeconds, long remainingSeconds, long now, long extraTicks)
    {
        var end = now + Ticks(remainingSeconds) + extraTicks;
        held[id] = new(end, grantedSeconds, Checkpointed: remainingSeconds < grantedSeconds);
        ends.Enqueue(id, (end, id.Value));
        if (remainingSeconds > CheckpointSeconds) checkpoints.Enqueue(id, (now + Ticks(CheckpointSeconds), id.Value));
    }

    public void Forget(LeaseId id) => held.Remove(id);

    public void Clear()
    {
        held.Clear();
        ends.Clear();
        checkpoints.Clear();
    }

    public bool IsExpired(LeaseId id, long now) => held.TryGetValue(id, out var lease) && lease.End <= now;

    /// <summary>True when what the log says is left must be lifted back to everything.</summary>
    public bool Renew(LeaseId id, long now)
    {
        var lease = held[id];
        held[id] = lease with { End = now + Ticks(lease.GrantedSeconds), Checkpointed = false };
        return lease.Checkpointed;
    }

    public long RemainingSeconds(LeaseId id, long now) => Math.Max(0, held[id].End - now) * tickMilliseconds / 1000;

    /// <summary>Leases to revoke now, the longest overdue first. One that is not gone some seconds later is given again.</summary>
    public List<LeaseId> TakeExpired(long now, int countMax)
    {
        var expired = new List<LeaseId>();
        while (expired.Count < countMax && ends.TryPeek(out var id, out var queued) && queued.Tick <= now)
        {
            ends.Dequeue();
            if (!held.TryGetValue(id, out var lease)) continue;
            if (lease.End <= now)
            {
                expired.Add(id);
                ends.Enqueue(id, (now + retryTicks, id.Value));
            }
            else if (queued.Tick < lease.End)
            {
                ends.Enqueue(id, (lease.End, id.Value));
            }
        }
        return expired;
    }

    /// <summary>Leases whose remaining time is to be written to the log, with that time in seconds.</summary>
    public List<(LeaseId Id, long RemainingSeconds)> TakeCheckpoints(long now, int countMax)
    {
        var due = new List<(LeaseId, long)>();
        while (due.Count < countMax && checkpoints.TryPeek(out var id, out var queued) && queued.Tick <= now)
        {
            checkpoints.Dequeue();
            if (!held.TryGetValue(id, out var lease)) continue;
            var remaining = RemainingSeconds(id, now);
            if (remaining > CheckpointSeconds) checkpoints.Enqueue(id, (now + Ticks(CheckpointSeconds), id.Value));
            if (remaining <= 0) continue;
            held[id] = lease with { Checkpointed = true };
            due.Add((id, remaining));
        }
        return due;
    }

    long Ticks(long seconds) => (seconds * 1000 + tickMilliseconds - 1) / tickMilliseconds;

    readonly record struct Held(long End, long GrantedSeconds, bool Checkpointed);
}
