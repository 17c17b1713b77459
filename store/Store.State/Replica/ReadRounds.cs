using Store.Raft;

namespace Store.State;

/// <summary>
/// Linearizable reads (dissertation §6.4): whoever waits when a round starts shares it, and only one round is under way at a time, so that under load a
/// round serves many. A lost round is asked again under a fresh context; an answer to any of its contexts is good, because all of them were asked
/// after its reads arrived. Contexts start at a random place and only rise: an answer meant for an earlier life of this member fits nothing.
/// </summary>
sealed class ReadRounds(ulong firstContext, long timeoutTicks, long retryTicks)
{
    readonly List<Waiter> confirmed = [];
    List<Waiter> waiting = [];
    List<Waiter> asked = [];
    ulong nextContext = firstContext;
    ulong roundFirstContext;
    long askedTick;

    bool RoundUnderWay => asked.Count > 0;

    /// <summary>True when <see cref="NextContext"/> would start a round.</summary>
    public bool WantsRound => !RoundUnderWay && waiting.Count > 0;

    public bool IsEmpty => waiting.Count == 0 && asked.Count == 0 && confirmed.Count == 0;

    public void Add(ulong readId, long now) => waiting.Add(new(readId, now, LogIndex.Zero));

    /// <summary>The context of a new round over everybody who waits.</summary>
    public ulong NextContext(long now)
    {
        Invariant.Require(WantsRound);
        (asked, waiting) = (waiting, asked);
        roundFirstContext = FreshContext();
        askedTick = now;
        return roundFirstContext;
    }

    /// <summary>A fresh context for a round that was lost or is late; null when there is nothing to ask again.</summary>
    public ulong? Retry(long now, bool atOnce)
    {
        if (!RoundUnderWay || (!atOnce && now - askedTick < retryTicks)) return null;
        askedTick = now;
        return FreshContext();
    }

    public void Confirm(ReadState answer)
    {
        // Contexts rise without gaps: the round owns [roundFirstContext, nextContext). Subtraction keeps that true across the wrap.
        if (!RoundUnderWay || answer.Context - roundFirstContext >= nextContext - roundFirstContext) return;
        foreach (var waiter in asked) confirmed.Add(waiter with { Index = answer.Index });
        asked.Clear();
    }

    /// <summary>Reads whose index is applied.</summary>
    public void Release(LogIndex applied, List<ReadReply> replies)
    {
        if (confirmed.Count == 0) return;
        var kept = 0;
        for (var i = 0; i < confirmed.Count; i++)
        {
            if (confirmed[i].Index <= applied) replies.Add(new(confirmed[i].ReadId, StoreError.None));
            else confirmed[kept++] = confirmed[i];
        }
        confirmed.RemoveRange(kept, confirmed.Count - kept);
    }

    public void FailAll(StoreError error, List<ReadReply> replies)
    {
        Fail(asked, error, replies);
        Fail(waiting, error, replies);
        Fail(confirmed, error, replies);
    }

    /// <summary>A read whose time is up hears that the leader changed under it, if that is so (contract 1.1).</summary>
    public void Expire(long now, long leaderSinceTick, List<ReadReply> replies)
    {
        Expire(asked, now, leaderSinceTick, replies);
        Expire(waiting, now, leaderSinceTick, replies);
        Expire(confirmed, now, leaderSinceTick, replies);
    }

    void Expire(List<Waiter> waiters, long now, long leaderSinceTick, List<ReadReply> replies)
    {
        if (waiters.Count == 0) return;
        foreach (var waiter in waiters)
        {
            if (waiter.StartTick + timeoutTicks > now) continue;
            replies.Add(new(waiter.ReadId, waiter.StartTick < leaderSinceTick ? StoreError.LeaderChanged : StoreError.Timeout));
        }
        waiters.RemoveAll(waiter => waiter.StartTick + timeoutTicks <= now);
    }

    static void Fail(List<Waiter> waiters, StoreError error, List<ReadReply> replies)
    {
        foreach (var waiter in waiters) replies.Add(new(waiter.ReadId, error));
        waiters.Clear();
    }

    /// <summary>Never zero: to the core zero means "no round".</summary>
    ulong FreshContext()
    {
        if (nextContext == 0) nextContext = 1;
        return nextContext++;
    }

    readonly record struct Waiter(ulong ReadId, long StartTick, LogIndex Index);
}
