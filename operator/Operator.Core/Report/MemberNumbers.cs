using k8s;

namespace Operator.Core;

/// <summary>Lag and bytes of each member. They move all the time, so by themselves they are news only every 30 seconds.</summary>
static class MemberNumbers
{
    static readonly TimeSpan Refresh = TimeSpan.FromSeconds(30);

    public static StoreClusterStatus Add(StoreClusterStatus status, Diagnosis diagnosis)
    {
        var before = diagnosis.View.Status;
        var kept = status with { ObservedAt = before.ObservedAt, Members = [.. status.Members!.Select(member => With(member, before.Members?.FirstOrDefault(old => old.Name == member.Name)))] };
        var nothingElse = KubernetesJson.Serialize(kept) == KubernetesJson.Serialize(before);
        if (nothingElse && before.ObservedAt is { } at && diagnosis.View.ObservedAt - at < Refresh) return kept;
        var members = status.Members!.Select(member => With(member, Fresh(diagnosis, member.Name))).ToList();
        // An idle cluster's numbers stand still, and then nothing is written at all.
        return nothingElse && members.SequenceEqual(kept.Members!) ? kept : status with { ObservedAt = diagnosis.View.ObservedAt, Members = members };
    }

    static MemberStatus With(MemberStatus member, MemberStatus? numbers) =>
        member with { LagEntries = numbers?.LagEntries, DbBytes = numbers?.DbBytes, DbInUseBytes = numbers?.DbInUseBytes };

    static MemberStatus? Fresh(Diagnosis diagnosis, string name)
    {
        if (diagnosis.Find(name) is not { Report: { } report } member) return null;
        var leader = diagnosis.Leader?.Report?.RaftIndex;
        return new MemberStatus
        {
            Name = name,
            State = member.Health.State.ToString(),
            LagEntries = leader is null ? null : leader > report.AppliedIndex ? (long)(leader.Value - report.AppliedIndex) : 0,
            DbBytes = report.DbBytes,
            DbInUseBytes = report.DbInUseBytes,
        };
    }
}
