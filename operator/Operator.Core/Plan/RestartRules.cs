namespace Operator.Core;

/// <summary>Bringing pods up to their templates.</summary>
internal static class RestartRules
{
    /// <summary>A pod that does not serve and runs an old template loses nothing by a restart. This is how a corrected image replaces one that could not
    /// be pulled, which no StatefulSet does by itself.</summary>
    public static Decision Unwedge(Diagnosis diagnosis)
    {
        var stuck = diagnosis.Members.FirstOrDefault(member => member is { Outdated: true, Ready: false, Pod.Metadata.DeletionTimestamp: null });
        return stuck is null
            ? Decision.NothingToDo
            : new Decision.Act(new Step.DeletePod(stuck.Pod!.Metadata.Name, stuck.Pod.Metadata.Uid, "it runs an older template and is not ready"));
    }

    /// <summary>One pod at a time, and only while every voter serves; the leader last, after it has handed over.</summary>
    public static Decision Roll(Diagnosis diagnosis)
    {
        var outdated = diagnosis.Members.Where(member => member is { Outdated: true, Ready: true }).ToList();
        if (outdated.Count == 0) return Decision.NothingToDo;
        if (diagnosis.Operation is { } operation) return new Decision.Decline("OperationInProgress", $"{operation.Kind} of {operation.Member} comes first");
        if (diagnosis.Members.FirstOrDefault(member => !member.Ready) is { } waiting) return new Decision.Halt("MemberNotReady", waiting.Health.Message);
        var leader = diagnosis.Leader;
        var next = outdated.Where(member => member.Name != leader?.Name).OrderByDescending(member => member.Name.Number).FirstOrDefault();
        if (next is null && diagnosis.Voters.Count() > 1 && MembershipRules.HandOver(diagnosis, leader!) is { } handOver) return new Decision.Act(handOver);
        next ??= outdated[0];
        return new Decision.Act(new Step.DeletePod(next.Pod!.Metadata.Name, next.Pod.Metadata.Uid, "it runs an older template"));
    }
}
