namespace Store.Agent;

/// <summary>
/// Whose turn it is to back up, found by every agent by itself from what the members tell: followers first, in order of their ids, the leader last. Nobody has to
/// agree: two that take a turn at the same time store the same changes twice and do no harm.
/// </summary>
public static class Turn
{
    /// <summary>For how long those in front may let a backup wait before the next one takes the turn: an agent may be down while its member is well.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>A full one is not there soon after it was begun.</summary>
    public static readonly TimeSpan PatienceForFull = TimeSpan.FromMinutes(2);

    /// <summary>How many are in front of a member; null when it cannot take backups.</summary>
    /// <param name="members">Those that answered.</param>
    public static int? RankOf(ulong self, IEnumerable<MemberStatus> members)
    {
        var order = members.Where(member => member is { HasLeader: true, IsLearner: false }).OrderBy(member => (member.IsLeader, member.MemberId)).Select(member => member.MemberId).ToList();
        return order.IndexOf(self) is >= 0 and var rank ? rank : null;
    }

    /// <param name="rank">As <see cref="RankOf"/> tells it.</param>
    /// <param name="overdueSince">Since when a backup has been due that nobody took; null while none is.</param>
    public static bool IsMine(int? rank, DateTimeOffset? overdueSince, DateTimeOffset now, NextBackup next) =>
        rank is { } place && (place == 0 || (overdueSince is { } since && now - since >= place * (next is NextBackup.Full ? PatienceForFull : Patience)));
}
