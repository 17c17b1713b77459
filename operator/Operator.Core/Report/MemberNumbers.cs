using k8s;

namespace Operator.Core;

/// <summary>Lag, bytes and restarts of each member. They move by themselves, so alone they are news only now and then: lag and bytes every 30 seconds, and the
/// restarts of a member that crashes again and again every 10 minutes.</summary>
static class MemberNumbers
{
    static readonly TimeSpan Refresh = TimeSpan.FromSeconds(30);
    static readonly TimeSpan RefreshRestarts = TimeSpan.FromMinutes(10);

    public static StoreClusterStatus Add(StoreClusterStatus status, Diagnosis diagnosis)
    {
        var before = diagnosis.View.Status;
        MemberStatus? Before(MemberStatus member) => before.Members?.FirstOrDefault(old => old.Name == member.Name);
        var kept = status with { ObservedAt = before.ObservedAt, Members = [.. status.Members!.Select(member => With(member, Before(member)) with { Restarts = Before(member)?.Restarts })] };
        var nothingElse = KubernetesJson.Serialize(kept) == KubernetesJson.Serialize(before);
        var age = diagnosis.View.ObservedAt - before.ObservedAt;
        if (nothingElse && age < Refresh) return kept;
        var members = status.Members!.Select(member => With(member, Fresh(diagnosis, member.Name))).ToList();
        // An idle cluster's numbers stand still, and then nothing is written at all.
        var still = age < RefreshRestarts ? members.Select(member => member with { Restarts = Before(member)?.Restarts }) : members;
        return nothingElse && still.SequenceEqual(kept.Members!) ? kept : status with { ObservedAt = diagnosis.View.ObservedAt, Members = members };
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
