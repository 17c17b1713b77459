namespace Operator.Core;

/// <summary>True while the operator is changing something, False when it wants nothing or may not; the message says which.</summary>
static class ProgressingCondition
{
    public static Verdict Judge(Diagnosis diagnosis, Plan plan)
    {
        if (plan.Step is not null) return new Verdict("True", plan.Rule, $"{plan.Rule}: {Words(plan.Step)}");
        if (plan.Blocked is [var first, ..])
        {
            var waiting = diagnosis.Operation is not null && diagnosis.Members.All(member => member.Health.State != MemberState.Failed);
            return new Verdict(waiting ? "True" : "False", first.Reason, $"{first.Rule}: {first.Message}");
        }

        return new Verdict("False", "Steady", "there is nothing to do");
    }

    static string Words(Step step) => step switch
    {
        Step.Apply apply => $"applying {apply.Object.Kind} {apply.Object.Metadata.Name}",
        Step.MintAuthority mint => $"making {(mint.Beside is null ? "an" : "the next")} authority for {mint.Side.Word()} certificates",
        Step.IssueCertificate issue => $"signing certificate {issue.Wanted.Secret}: {issue.Why}",
        Step.Rotate rotate => $"replacing the {rotate.Side.Word()} authority ({rotate.Rotation.Phase}): {rotate.Rotation.Reason}",
        Step.FinishRotation rotated => $"the {rotated.Side.Word()} authority is replaced",
        Step.DeleteManagedCertificate delete => $"deleting Certificate {delete.Certificate}",
        Step.RefreshPod refresh => $"bringing new certificates to {refresh.Pod}",
        Step.DeleteSecret delete => $"deleting Secret {delete.Secret}",
        Step.AddLearner add => $"adding {add.Member} as a learner",
        Step.Promote promote => $"promoting {promote.Member}",
        Step.MoveLeader move => $"moving leadership from {move.From} to {move.To}",
        Step.RemoveMember remove => $"removing {remove.Member}",
        Step.DeletePod delete => $"restarting pod {delete.Pod}: {delete.Why}",
        Step.DeleteStatefulSet delete => $"deleting StatefulSet {delete.Member}",
        Step.DeleteBudget delete => $"deleting PodDisruptionBudget {delete.Budget}",
        Step.DeleteClaim delete => $"deleting volume claim {delete.Claim}",
        Step.ResizeClaim resize => $"asking for {resize.Size} for volume claim {resize.Claim}",
        Step.OwnClaim own => $"volume claim {own.Claim} will {(own.Owned ? "be deleted" : "stay")} when the StoreCluster is deleted",
        Step.StartOperation start => $"{start.Kind} of {start.Member}",
        Step.FinishOperation => "the operation is done",
        Step.RollBack back => $"going back to the last template from which all served: {back.Why}",
        Step.BeginRestoration or Step.ResumeRestoration => "going back to a backup",
        Step.LatchFormed => "the cluster has formed",
        Step.TakeAuth or Step.CreateLogin or Step.EnableAuth => "turning authentication on",
        Step.RestoreLogin => $"restoring the user {OperatorLogin.User}",
        Step.SetRootPassword or Step.LatchRootPassword => "giving root the password in its Secret",
        Step.DisableAuth or Step.DeleteLogin or Step.ReleaseAuth => "turning authentication off",
        Step.MintToken or Step.LatchToken => "naming the cluster",
        _ => step.GetType().Name,
    };
}
