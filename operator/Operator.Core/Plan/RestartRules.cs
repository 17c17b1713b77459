namespace Operator.Core;

/// <summary>Bringing pods up to their templates.</summary>
internal static class RestartRules
{
    /// <summary>A stuck pod of an old template loses nothing by a restart. This is how a corrected image replaces one that could not be pulled, which no
    /// StatefulSet does by itself. Not being ready is not enough: a member that missed one answer to the operator, or that takes part in an election,
    /// serves again in a moment, and restarting it would take the quorum away from a cluster that has just lost one.</summary>
    public static Decision Unwedge(Diagnosis diagnosis)
    {
        var stuck = diagnosis.Members.FirstOrDefault(member =>
            member is { Outdated: true, Pod.Metadata.DeletionTimestamp: null } && member.Health.State != MemberState.Leaving
            && PodVerdict.IsStuck(member.Pod, member.Name, diagnosis.View.ObservedAt) && CanBeSpared(diagnosis, member));
        return stuck is null
            ? Decision.NothingToDo
            : new Decision.Act(new Step.DeletePod(stuck.Pod!.Metadata.Name, stuck.Pod.Metadata.Uid, "it runs an older template and is stuck"));
    }

    /// <summary>It takes no part in a serving quorum (this rule stands above Quorum: the member list may be unread), or the others are one without it.</summary>
    private static bool CanBeSpared(Diagnosis diagnosis, MemberVerdict member)
    {
        if (member.Report is null or { Leader: 0 } or { Learner: true }) return true;
        if (diagnosis.View.Membership is not { } membership) return false;
        var voters = membership.Members.Count(listed => !listed.Learner);
        return diagnosis.HealthyVoters.Count(other => other.Name != member.Name) >= Numbers.Quorum(voters);
    }

    /// <summary>One pod at a time, and only while every voter serves; the leader last, after it has handed over.</summary>
    public static Decision Roll(Diagnosis diagnosis)
    {
        var outdated = diagnosis.Members.Where(member => member is { Outdated: true, Ready: true }).ToList();
        if (outdated.Count == 0) return Decision.NothingToDo;
        if (diagnosis.Operation is { } operation) return new Decision.Decline("OperationInProgress", $"{operation.Kind} of {operation.Member} comes first");
        if (diagnosis.Members.FirstOrDefault(member => !member.Ready) is { } waiting) return new Decision.Decline("MemberNotReady", waiting.Health.Message);
        var leader = diagnosis.Leader;
        var next = outdated.Where(member => member.Name != leader?.Name).OrderByDescending(member => member.Name.Number).FirstOrDefault();
        if (next is null && diagnosis.Voters.Count() > 1 && MembershipRules.HandOver(diagnosis, leader!) is { } handOver) return new Decision.Act(handOver);
        next ??= outdated[0];
        return new Decision.Act(new Step.DeletePod(next.Pod!.Metadata.Name, next.Pod.Metadata.Uid, "it runs an older template"));
    }
}
