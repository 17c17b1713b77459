using Store.Raft;

namespace Store.State;

/// <summary>
/// How much of the log stays behind the applied index: enough that a follower that was away for a moment needs no snapshot, bounded in entries
/// and in bytes, and never less than what a restart must replay, because the engine has not made it durable yet.
/// </summary>
sealed class LogRetention(ulong entriesMax, long bytesMax)
{
    /// <summary>Cutting costs a little every time: it waits until a tenth of the entries or an eighth of the bytes would go.</summary>
    readonly ulong entriesStep = Math.Max(1, entriesMax / 10);
    readonly long bytesStep = Math.Max(1, bytesMax / 8);

    readonly Queue<(LogIndex Last, long Bytes)> batches = new();
    long bytes;
    long bytesDroppable;
    LogIndex droppable;
    LogIndex cut;

    public LogIndex Flushed { get; private set; }

    public void Applied(IReadOnlyList<Entry> entries)
    {
        long size = 0;
        for (var i = 0; i < entries.Count; i++) size += entries[i].SizeBytes;
        batches.Enqueue((entries[^1].Index, size));
        bytes += size;
        var keepFrom = entries[^1].Index - entriesMax;
        while (batches.TryPeek(out var oldest) && (oldest.Last <= keepFrom || bytes > bytesMax) && batches.Count > 1)
        {
            batches.Dequeue();
            bytes -= oldest.Bytes;
            bytesDroppable += oldest.Bytes;
            droppable = oldest.Last;
        }
    }

    public void EngineFlushed(LogIndex index) => Flushed = LogIndex.Max(Flushed, index);

    /// <summary>The log may now be cut behind this index; null when it is not worth it yet.</summary>
    public LogIndex? TakeCut()
    {
        var target = LogIndex.Min(droppable, Flushed);
        if (target <= cut || (target < cut + entriesStep && bytesDroppable < bytesStep)) return null;
        cut = target;
        bytesDroppable = 0;
        return cut;
    }

    /// <summary>A snapshot replaced state and log.</summary>
    public void Restart(LogIndex index)
    {
        batches.Clear();
        bytes = bytesDroppable = 0;
        droppable = cut = Flushed = index;
    }
}
