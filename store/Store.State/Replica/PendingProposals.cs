namespace Store.State;

/// <summary>
/// Requests proposed here whose outcome is not known yet. All of them wait equally long, so the order of arrival is the order of running out.
/// </summary>
sealed class PendingProposals(long timeoutTicks)
{
    readonly Dictionary<ulong, long> startTicks = [];
    readonly Queue<(ulong RequestId, long StartTick)> arrivals = new();

    public int Count => startTicks.Count;

    public void Add(ulong requestId, long now)
    {
        startTicks[requestId] = now;
        arrivals.Enqueue((requestId, now));
    }

    public bool Contains(ulong requestId) => startTicks.ContainsKey(requestId);

    public bool Remove(ulong requestId) => startTicks.Remove(requestId);

    /// <summary>Takes out what has waited too long, with the tick at which the wait began.</summary>
    public IEnumerable<(ulong RequestId, long StartTick)> TakeExpired(long now)
    {
        while (arrivals.TryPeek(out var oldest) && (oldest.StartTick + timeoutTicks <= now || !startTicks.ContainsKey(oldest.RequestId)))
        {
            arrivals.Dequeue();
            if (startTicks.Remove(oldest.RequestId)) yield return oldest;
        }
    }

    public IReadOnlyList<ulong> TakeAll()
    {
        var all = arrivals.Select(arrival => arrival.RequestId).Where(startTicks.ContainsKey).ToList();
        startTicks.Clear();
        arrivals.Clear();
        return all;
    }
}
