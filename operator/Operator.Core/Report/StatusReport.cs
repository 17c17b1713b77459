using k8s.Models;

namespace Operator.Core;

/// <summary>The status that an observation deserves. It comes before anything is changed, so that a failing change never hides the truth.</summary>
public static class StatusReport
{
    /// <param name="error">What the last step that failed said; null when the last one succeeded.</param>
    public static StoreClusterStatus Build(Diagnosis diagnosis, Plan plan, string? error)
    {
        var view = diagnosis.View;
        var generation = view.Cluster.Metadata.Generation;
        var before = view.Status.Conditions;
        V1Condition Condition(string type, Verdict verdict) => Conditions.Set(before, type, verdict, generation, view.ObservedAt);
        // What was latched (token, id, time, numbers, operation) is carried over; all else is said anew.
        var status = view.Status with
        {
            ObservedGeneration = generation,
            Phase = Phase(diagnosis),
            Replicas = diagnosis.Members.Count(member => member.Set is not null),
            Selector = $"{Labels.Cluster}={view.Name}",
            ReadyMembers = diagnosis.HealthyVoters.Count(),
            Voters = diagnosis.View.Membership is null ? view.Status.Voters : diagnosis.Voters.Count(),
            Learners = diagnosis.View.Membership is null ? view.Status.Learners : diagnosis.Members.Count(member => member.Learner),
            Term = view.Reports.Count == 0 ? view.Status.Term : (long)view.Reports.Values.Max(report => report.Term),
            Leader = diagnosis.Leader?.Name.ToString(),
            Version = view.Reports.Values.Select(report => report.Version).Min(VersionOrder.Instance),
            Members = [.. diagnosis.Members.Select(member => Member(view, member))],
            Tls = CertificateReport.Build(diagnosis),
            Backup = BackupReport.Build(diagnosis),
            Update = Rollback.Remember(diagnosis, plan),
            Blocked = plan.Blocked.Count == 0 ? null : plan.Blocked,
            Conditions =
            [
                Condition(ConditionTypes.Ready, ReadyCondition.Judge(diagnosis, plan)),
                Condition(ConditionTypes.Available, AvailableCondition.Judge(diagnosis)),
                Condition(ConditionTypes.Progressing, ProgressingCondition.Judge(diagnosis, plan)),
                Condition(ConditionTypes.Degraded, DegradedCondition.Judge(diagnosis)),
                Condition(ConditionTypes.QuorumHealthy, QuorumHealthyCondition.Judge(diagnosis)),
                Condition(ConditionTypes.AllMembersReady, AllMembersReadyCondition.Judge(diagnosis)),
                Condition(ConditionTypes.IdentityConsistent, IdentityConsistentCondition.Judge(diagnosis)),
                Condition(ConditionTypes.TopologySatisfied, TopologySatisfiedCondition.Judge(diagnosis)),
                Condition(ConditionTypes.Reconciled, ReconciledCondition.Judge(diagnosis, error)),
                Condition(ConditionTypes.MembersUpdated, MembersUpdatedCondition.Judge(diagnosis)),
                Condition(ConditionTypes.StorageHealthy, StorageCondition.Judge(diagnosis)),
                Condition(ConditionTypes.AuthReady, AuthReadyCondition.Judge(diagnosis)),
                .. CertificatesReadyCondition.Judge(diagnosis) is { } certificates ? [Condition(ConditionTypes.CertificatesReady, certificates)] : Array.Empty<V1Condition>(),
                .. BackupReadyCondition.Judge(diagnosis) is { } backups ? [Condition(ConditionTypes.BackupReady, backups)] : Array.Empty<V1Condition>(),
                .. RestoredCondition.Judge(diagnosis) is { } restored ? [Condition(ConditionTypes.Restored, restored)] : Array.Empty<V1Condition>(),
                Condition(ConditionTypes.Paused, PausedCondition.Judge(diagnosis)),
            ],
        };
        return MemberNumbers.Add(status, diagnosis);
    }

    static string Phase(Diagnosis diagnosis)
    {
        if (diagnosis.View.Cluster.Metadata.DeletionTimestamp is not null) return "Deleting";
        if (diagnosis.InvalidSpec is not null) return "Invalid";
        if (diagnosis.View.Spec.Paused) return "Paused";
        if (!diagnosis.View.Formed && diagnosis.View.Status.Restoration is not null) return "Restoring";
        if (!diagnosis.View.Formed) return diagnosis.View.Status.ClusterToken is null ? "Pending" : "Forming";
        if (diagnosis.View.Membership is null) return "Unavailable";
        if (diagnosis.Operation is not null) return "Scaling";
        if (diagnosis.Members.Any(member => member.Outdated)) return "Updating";
        if (diagnosis.Members.Any(member => !member.Ready)) return "Degraded";
        if (Rollback.IsInForce(diagnosis.View)) return "RolledBack";
        return diagnosis.HealthyVoters.Count() == diagnosis.View.Spec.Replicas ? "Running" : "Scaling";
    }

    static MemberStatus Member(ClusterView view, MemberVerdict member) => new()
    {
        Name = member.Name.ToString(),
        MemberId = (member.Listed?.Id ?? member.Report?.MemberId)?.ToString("x"),
        Role = member.Listed is null ? null : member.Learner ? "Learner" : "Voter",
        State = member.Health.State.ToString(),
        Pod = member.Pod?.Metadata.Name,
        Node = member.Pod?.Spec?.NodeName,
        Zone = TopologySatisfiedCondition.ZoneOf(view.Spec, member.Pod),
        Claim = member.Claim?.Metadata.Name,
        Restarts = member.Pod?.Status?.ContainerStatuses?.FirstOrDefault(container => container.Name == "store")?.RestartCount,
        Version = member.Report?.Version,
        Reason = member.Health.Reason.Length > 0 ? member.Health.Reason : null,
        Message = member.Health.Message.Length > 0 ? member.Health.Message : null,
    };
}

/// <summary>3.10.0 is more than 3.9.0; text that is no version sorts before all that are.</summary>
sealed class VersionOrder : IComparer<string>
{
    public static readonly VersionOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        var left = Version.TryParse(x?.Split('-')[0], out var parsedLeft) ? parsedLeft : null;
        var right = Version.TryParse(y?.Split('-')[0], out var parsedRight) ? parsedRight : null;
        return left == right ? string.CompareOrdinal(x, y) : Comparer<Version>.Default.Compare(left, right);
    }
}
