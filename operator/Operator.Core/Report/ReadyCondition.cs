using k8s.Models;

namespace Operator.Core;

/// <summary>True when what was asked for is there: the wanted number of voters serve, from the wanted template, and nothing is under way.</summary>
static class ReadyCondition
{
    public static Verdict Judge(Diagnosis diagnosis, Plan plan)
    {
        if (diagnosis.InvalidSpec is { } error) return new Verdict("False", "InvalidSpec", error);
        if (diagnosis.View.Cluster.Metadata.DeletionTimestamp is not null) return new Verdict("False", "Deleting", "the StoreCluster is being deleted");
        // What a person has to act on comes before what passes by itself.
        if (diagnosis.Members.FirstOrDefault(member => member.Health.State == MemberState.Failed) is { } failed)
            return new Verdict("False", failed.Health.Reason, failed.Health.Message);
        if (plan is { Rule: "Certificates", Step: null, Blocked: [.., var certificates] }) return new Verdict("False", certificates.Reason, certificates.Message!);
        if (plan is { Rule: "Token", Step: null, Blocked: [.., var source] }) return new Verdict("False", source.Reason, source.Message!);
        if (!diagnosis.View.Formed)
            return diagnosis.View.Status.Restoration is null ? new Verdict("False", "Forming", First(diagnosis) ?? "the cluster is being formed") : new Verdict("False", "Restoring", First(diagnosis) ?? "the cluster is being taken back to a backup");
        if (diagnosis.View.Membership is null) return new Verdict("False", "NoQuorum", First(diagnosis) ?? "the store's member list cannot be read");
        var wanted = diagnosis.View.Spec.Replicas;
        var ready = diagnosis.HealthyVoters.Count();
        if (diagnosis.Operation is { } operation && plan.Step is not Step.FinishOperation)
            return new Verdict("False", operation.Kind, $"{ready} of {wanted} members serve; {operation.Kind} of {operation.Member} is under way");
        if (First(diagnosis) is { } message) return new Verdict("False", "MembersNotReady", $"{ready} of {wanted} members serve; {message}");
        if (ready != wanted) return new Verdict("False", "Scaling", $"{ready} of {wanted} members serve");
        // Status is written before the step: what is wanted is not there because it is about to be.
        if (plan.Step is Step.Apply { Object: V1StatefulSet set }) return new Verdict("False", "Updating", $"the template of {set.Metadata.Name} is being changed");
        if (diagnosis.Members.FirstOrDefault(member => member.Outdated) is { } outdated)
            return new Verdict("False", "Updating", $"pod {outdated.Name.Pod} still runs the former template");
        if (AuthReadyCondition.Missing(diagnosis) is { } unasked) return unasked with { Status = "False" };
        return Rollback.IsInForce(diagnosis.View)
            ? new Verdict("False", "RolledBack", $"{diagnosis.View.Status.Update!.Message}; the former template is back until the spec changes")
            : new Verdict("True", "AllMembersServe", $"{ready} of {wanted} members serve");
    }

    static string? First(Diagnosis diagnosis) => diagnosis.Members
        .Where(member => !member.Ready && member.Health.State != MemberState.Leaving).Select(member => member.Health.Message).FirstOrDefault(message => message.Length > 0);
}
