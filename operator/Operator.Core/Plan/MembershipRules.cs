namespace Operator.Core;

/// <summary>Adding and removing members. All of these stand below the Quorum rule: the member list is at hand and fresh.</summary>
static class MembershipRules
{
    /// <summary>How far a learner's applied index may be behind the leader's when it is offered for promotion; the store itself decides again.</summary>
    const ulong CaughtUpEntries = 1000;

    /// <summary>How long after the end of its grace period a removed member's pod is waited for.</summary>
    static readonly TimeSpan EndMargin = TimeSpan.FromSeconds(10);

    /// <summary>Removes a member: leadership away, out of the member list, then its StatefulSet, and its volume last, when the pod is gone.</summary>
    public static Decision Leave(Diagnosis diagnosis)
    {
        if (diagnosis.Operation is not { Kind: Operations.Remove } operation || diagnosis.Find(operation.Member) is not { } leaving) return Decision.NothingToDo;
        if (leaving.Listed is { } listed) return LeaveList(diagnosis, leaving, listed);
        if (leaving.Set is { Metadata.DeletionTimestamp: null } set) return new Decision.Act(new Step.DeleteStatefulSet(leaving.Name, set.Metadata.Uid));
        // Its node may never answer. It is out of the list and its number is never given again, so whatever still runs there can hurt nobody.
        if (leaving.Pod is { Metadata.DeletionTimestamp: { } due } stuck && diagnosis.View.ObservedAt - due >= EndMargin)
            return new Decision.Act(new Step.DeletePod(stuck.Metadata.Name, stuck.Metadata.Uid, "its node does not confirm that it ended") { Force = true });
        if (leaving.Set is not null || leaving.Pod is not null) return new Decision.Halt("PodStopping", $"waiting for pod {leaving.Name.Pod} to end");
        if (leaving.Claim is { Metadata.DeletionTimestamp: null } claim && diagnosis.View.Spec.Storage.Retention.OnScaleIn == RetentionSpec.Delete)
            return new Decision.Act(new Step.DeleteClaim(leaving.Name, claim.Metadata.Name, claim.Metadata.Uid));
        return new Decision.Act(new Step.FinishOperation());
    }

    static Decision LeaveList(Diagnosis diagnosis, MemberVerdict leaving, ListedMember listed)
    {
        var others = diagnosis.View.Membership!.Members.Count(member => !member.Learner && member.Id != listed.Id);
        var healthyOthers = diagnosis.HealthyVoters.Count(member => member.Name != leaving.Name);
        if (!listed.Learner && (others == 0 || healthyOthers < Numbers.Quorum(others)))
            return new Decision.Halt("QuorumAtRisk", $"without {leaving.Name} only {healthyOthers} of {others} voters would serve, which is no quorum");
        if (diagnosis.Leader?.Name == leaving.Name)
        {
            return HandOver(diagnosis, leaving) is { } handOver
                ? new Decision.Act(handOver)
                : new Decision.Halt("NoSuccessor", $"{leaving.Name} leads and no other voter serves");
        }

        return new Decision.Act(new Step.RemoveMember(leaving.Name, listed.Id));
    }

    /// <summary>Somebody took a member out of the list by hand: what is left of it is cleaned up, and Scale makes a new one.</summary>
    public static Decision RemovedElsewhere(Diagnosis diagnosis)
    {
        if (diagnosis.Operation is not null) return Decision.NothingToDo;
        var gone = diagnosis.Members.FirstOrDefault(member => member is { Listed: null, Set: not null });
        return gone is null ? Decision.NothingToDo : new Decision.Act(new Step.StartOperation(Operations.Remove, gone.Name));
    }

    /// <summary>Adds a member: learner in the list, StatefulSet (by the Templates rule, from the list), caught up, voter.</summary>
    public static Decision Join(Diagnosis diagnosis)
    {
        if (diagnosis.Operation is not { Kind: Operations.Add } operation || diagnosis.Find(operation.Member) is not { } joining) return Decision.NothingToDo;
        if (joining.Voter) return new Decision.Act(new Step.FinishOperation());
        // The wish was taken back before the member became a voter.
        if (diagnosis.Voters.Count() >= diagnosis.View.Spec.Replicas) return new Decision.Act(new Step.StartOperation(Operations.Remove, joining.Name));
        if (joining.Listed is null) return Add(diagnosis, joining.Name);
        if (joining.Listed is not { Started: true } || joining.Report is null)
            return new Decision.Halt("LearnerStarting", joining.Health.Message.Length > 0 ? joining.Health.Message : $"waiting for {joining.Name} to join");
        return CaughtUp(diagnosis, joining)
            ? new Decision.Act(new Step.Promote(joining.Name, joining.Listed.Id))
            : new Decision.Halt("LearnerCatchingUp", $"{joining.Name} has applied entry {joining.Report.AppliedIndex}, the leader has {diagnosis.Leader?.Report?.RaftIndex}");
    }

    static Decision Add(Diagnosis diagnosis, MemberName member)
    {
        if (diagnosis.Voters.FirstOrDefault(voter => !voter.Ready) is { } sick)
            return new Decision.Halt("VoterNotReady", $"no member is added while a voter does not serve: {sick.Health.Message}");
        if (diagnosis.View.Membership!.Members.FirstOrDefault(other => other.Learner || !other.Started) is { } pending)
            return new Decision.Halt("ChangePending", $"member {pending.Id:x} of the list has yet to become a voter");
        return new Decision.Act(new Step.AddLearner(member, member.PeerUrl(diagnosis.View.Namespace, diagnosis.View.PeerScheme)));
    }

    static bool CaughtUp(Diagnosis diagnosis, MemberVerdict learner) =>
        diagnosis.Leader?.Report is { } leader && learner.Report!.AppliedIndex + CaughtUpEntries >= leader.RaftIndex;

    /// <summary>One member more or one fewer; the rest follows in later passes.</summary>
    public static Decision Scale(Diagnosis diagnosis)
    {
        if (diagnosis.Operation is not null) return Decision.NothingToDo;
        var listed = diagnosis.View.Membership!.Members;
        if (listed.FirstOrDefault(member => member.Name is null) is { } stranger)
            return new Decision.Halt("ForeignMember", $"member {stranger.Id:x} ({string.Join(',', stranger.PeerUrls)}) was not made by this operator; remove it with etcdctl member remove");
        // Its operation gave way to a repair, or was lost with status: it goes on.
        if (diagnosis.Members.FirstOrDefault(member => member.Learner) is { } unfinished && diagnosis.Voters.Count() < diagnosis.View.Spec.Replicas)
            return new Decision.Act(new Step.StartOperation(Operations.Add, unfinished.Name));
        var missing = diagnosis.View.Spec.Replicas - listed.Count;
        if (missing == 0) return Decision.NothingToDo;
        if (missing < 0) return new Decision.Act(new Step.StartOperation(Operations.Remove, Victim(diagnosis).Name));
        return diagnosis.Voters.FirstOrDefault(voter => !voter.Ready) is { } sick
            ? new Decision.Decline("VoterNotReady", $"no member is added while a voter does not serve: {sick.Health.Message}")
            : new Decision.Act(new Step.StartOperation(Operations.Add, Numbers.Next(diagnosis.View)));
    }

    /// <summary>Who costs least: a sick one before a healthy one, a learner before a voter, the leader last, and then the youngest.</summary>
    static MemberVerdict Victim(Diagnosis diagnosis)
    {
        var leader = diagnosis.Leader?.Name;
        return diagnosis.Members.Where(member => member.Listed is not null)
            .OrderBy(member => member.Ready).ThenByDescending(member => member.Learner).ThenBy(member => member.Name == leader)
            .ThenByDescending(member => member.Name.Number).First();
    }

    /// <summary>To the healthy voter that is furthest, an up-to-date pod before one that has yet to be restarted.</summary>
    public static Step.MoveLeader? HandOver(Diagnosis diagnosis, MemberVerdict leader)
    {
        var heir = diagnosis.HealthyVoters.Where(member => member.Name != leader.Name)
            .OrderBy(member => member.Outdated).ThenByDescending(member => member.Report!.AppliedIndex).ThenBy(member => member.Name.Number).FirstOrDefault();
        return heir is null ? null : new Step.MoveLeader(leader.Name, heir.Name, heir.Listed!.Id);
    }
}
