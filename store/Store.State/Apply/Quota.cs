using Store.Protocol.Etcdserverpb;
using Store.Raft;

namespace Store.State;

/// <summary>
/// The quota on live bytes (design S12). A write that does not fit is refused and raises NOSPACE, which refuses all other writes that need space until
/// there is room again for the one that was refused; deletions and compaction always work.
/// </summary>
/// <remarks>
/// Why not clear as soon as usage lies below the quota: a put of 1 MiB that is refused with 0.5 MiB left would raise an alarm that is gone with the next
/// command, and nobody would ever see it. The part of the quota to wait for is bounded, or a put larger than the quota would keep the alarm for ever.
/// </remarks>
sealed class Quota(MvccStore store, ClusterTable cluster)
{
    const int HeadroomShare = 8;

    /// <summary>What the refused write would have needed; zero when the alarm does not stand or was raised by hand.</summary>
    public long RefusedCost { get; set; }

    /// <summary>NoSpace when a write that needs so much may not be done.</summary>
    public StoreError Admit(long cost, long quotaBytes)
    {
        if (cost == 0) return StoreError.None;
        if (cluster.HasAlarm(AlarmType.Nospace)) return StoreError.NoSpace;
        if (quotaBytes == 0 || store.Space.Live + cost <= quotaBytes) return StoreError.None;
        RefusedCost = cost;
        cluster.Raise(Speaker, AlarmType.Nospace);
        return StoreError.NoSpace;
    }

    /// <summary>After each command: lowers the alarm that <see cref="Admit"/> raised.</summary>
    public void Settle(long quotaBytes)
    {
        if (RefusedCost == 0) return;
        var room = quotaBytes - store.Space.Live;
        if (quotaBytes != 0 && room < Math.Min(RefusedCost, quotaBytes / HeadroomShare)) return;
        RefusedCost = 0;
        foreach (var alarm in cluster.View.Alarms)
            if (alarm.Alarm == AlarmType.Nospace) cluster.Clear(new(alarm.MemberID), AlarmType.Nospace);
    }

    /// <summary>Space runs out on all members at once; the alarm needs one name, and the first member's is the same everywhere.</summary>
    NodeId Speaker => cluster.View.Members.Keys.FirstOrDefault();
}
