namespace Operator.Core;

/// <summary>Bringing pods up to the wanted template.</summary>
static class RestartRules
{
    /// <summary>A stuck pod of an old template loses nothing by a restart. This is how a corrected image replaces one that could not be pulled, which no
    /// StatefulSet does by itself. Not being ready is not enough: a member that missed one answer to the operator, or that takes part in an election,
    /// serves again in a moment, and restarting it would take the quorum away from a cluster that has just lost one.</summary>
    public static Decision Unwedge(Diagnosis diagnosis)
    {
        var stuck = diagnosis.Members.FirstOrDefault(member =>
            member is { Outdated: true, Pod.Metadata.DeletionTimestamp: null } && member.Health.State != MemberState.Leaving
            && PodVerdict.IsStuck(member.Pod, member.Name, diagnosis.View.ObservedAt) && CanBeSpared(diagnosis, member) && Turn.MayHelp(diagnosis, member));
        return stuck is null ? Decision.NothingToDo : Turn.Restart(diagnosis, stuck, "it runs an older template and is stuck");
    }

    /// <summary>It takes no part in a serving quorum (this rule stands above Quorum: the member list may be unread), or the others are one without it.</summary>
    static bool CanBeSpared(Diagnosis diagnosis, MemberVerdict member)
    {
        if (member is { Refusal: null, Report: null or { Leader: 0 } or { Learner: true } }) return true;
        if (diagnosis.View.Membership is not { } membership) return false;
        var voters = membership.Members.Count(listed => !listed.Learner);
        return diagnosis.HealthyVoters.Count(other => other.Name != member.Name) >= Numbers.Quorum(voters);
    }

    /// <summary>One pod at a time, and only while every voter serves and has served for a while. A leader hands over first and gets its template then: handing over may be
    /// refused for a while, and the shorter a serving member has a template that nobody has tried, the better.</summary>
    public static Decision Roll(Diagnosis diagnosis)
    {
        var outdated = diagnosis.Members.Where(member => member is { Outdated: true, Ready: true }).ToList();
        if (outdated.Count == 0) return RolledBack(diagnosis);
        if (diagnosis.Operation is { } operation) return new Decision.Decline("OperationInProgress", $"{operation.Kind} of {operation.Member} comes first");
        if (diagnosis.Members.FirstOrDefault(member => !member.Ready) is { } waiting) return Wait(diagnosis, waiting);
        if (Soaking(diagnosis) is { } soaking) return soaking;
        var next = Next(diagnosis, outdated);
        if (CertificateRules.Unmountable(diagnosis, next) is { } flaw) return new Decision.Decline(flaw.Reason, flaw.Message);
        if (diagnosis.Voters.Count() > 1 && !CanBeSpared(diagnosis, next))
            return new Decision.Decline("QuorumAtRisk", $"without {next.Name} the other voters are no quorum, so it is not restarted");
        if (next.Name == diagnosis.Leader?.Name && diagnosis.Voters.Count() > 1 && MembershipRules.HandOver(diagnosis, next) is { } handOver)
            return new Decision.Act(handOver);
        return Turn.Restart(diagnosis, next, "it runs an older template");
    }

    /// <summary>Whoever would come back from another template already comes first. Two of them might be lost together:
    ///   1. orders-3 follows and gets the template;
    ///   2. it is elected, so orders-2 would be next, and get it as well;
    ///   3. orders-2 restarts with it and fails, and the pod of orders-3 is evicted.</summary>
    static MemberVerdict Next(Diagnosis diagnosis, List<MemberVerdict> outdated)
    {
        var begun = outdated.OrderByDescending(member => member.Held != member.Running);
        return diagnosis.View.Spec.Update.Order == UpdateSpec.ByNumber
            ? begun.ThenBy(member => member.Name.Number).First()
            : begun.ThenBy(member => member.Name == diagnosis.Leader?.Name).ThenByDescending(member => member.Name.Number).First();
    }

    /// <summary>The member that was restarted last has a time to come back; then the update has failed, and goes no further by itself.</summary>
    static Decision Wait(Diagnosis diagnosis, MemberVerdict waiting)
    {
        var update = diagnosis.View.Spec.Update;
        if (!Overdue(diagnosis, waiting)) return new Decision.Decline("MemberNotReady", waiting.Health.Message);
        if (update.OnFailure == UpdateSpec.Retry && CanBeSpared(diagnosis, waiting))
            return new Decision.Act(new Step.DeletePod(waiting.Pod!.Metadata.Name, waiting.Pod.Metadata.Uid, $"it did not serve within {update.MemberTimeoutSeconds} s of its restart"));
        return new Decision.Decline("UpdateFailed",
            $"{waiting.Name} does not serve {update.MemberTimeoutSeconds} s after its restart, so nobody else is restarted until the spec changes: {waiting.Health.Message}");
    }

    /// <summary>It runs the wanted template and has had all the time that the spec gives it.</summary>
    public static bool Overdue(Diagnosis diagnosis, MemberVerdict member) =>
        member is { Outdated: false, Ready: false, Pod.Metadata: { DeletionTimestamp: null, CreationTimestamp: { } born } }
        && diagnosis.View.ObservedAt - born >= TimeSpan.FromSeconds(diagnosis.View.Spec.Update.MemberTimeoutSeconds);

    static Decision RolledBack(Diagnosis diagnosis) => Rollback.IsInForce(diagnosis.View)
        ? new Decision.Decline("RolledBack", $"{diagnosis.View.Status.Update!.Message}; the former template is back until the spec changes")
        : Decision.NothingToDo;

    static Decision.Decline? Soaking(Diagnosis diagnosis)
    {
        var soak = TimeSpan.FromSeconds(diagnosis.View.Spec.Update.SoakSeconds);
        var fresh = diagnosis.Members.FirstOrDefault(member => !member.Outdated && PodVerdict.ReadySince(member.Pod) is { } since && diagnosis.View.ObservedAt - since < soak);
        return fresh is null ? null : new Decision.Decline("Soaking", $"{fresh.Name} has just begun to serve; the next member follows {soak.TotalSeconds:0} s after it");
    }
}
