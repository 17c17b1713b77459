namespace Store.Raft;

/// <summary>
/// Reads that wait for a majority to confirm the leader (dissertation §6.4). Reads that come while a round is under way share the next one; a
/// round is never given out twice by one leader, and a leader of another term counts for nothing in it.
/// </summary>
sealed class ReadRounds
{
    readonly Queue<Round> open = new();
    List<PendingRead> waiting = [];

    /// <summary>The newest round, which heartbeats carry; zero before the first.</summary>
    public ulong Newest { get; private set; }

    public bool Waiting => waiting.Count > 0;

    public bool UnderWay => open.Count > 0;

    public void Add(NodeId from, ulong context) => waiting.Add(new(from, context));

    /// <summary>Opens a round for all waiting reads; they are answered with the commit index of this moment, which is not older than any of them.</summary>
    public void Open(LogIndex commit)
    {
        open.Enqueue(new(++Newest, commit, waiting));
        waiting = [];
    }

    /// <summary>A majority has confirmed this round, and with it every earlier one: takes the next of them.</summary>
    public bool TryTake(ulong confirmed, out Round round)
    {
        if (open.TryPeek(out round) && round.Id <= confirmed) return open.TryDequeue(out round);
        return false;
    }
}

readonly record struct PendingRead(NodeId From, ulong Context);

readonly record struct Round(ulong Id, LogIndex Index, List<PendingRead> Reads);
