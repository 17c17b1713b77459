namespace Operator.Core;

/// <summary>True when fewer members serve than are there to serve, or one of them has failed: something is worse than it was, whether the operator works on it
/// or a person has to.</summary>
static class DegradedCondition
{
    public static Verdict Judge(Diagnosis diagnosis)
    {
        if (diagnosis.Members.FirstOrDefault(member => member.Health.State == MemberState.Failed) is { } failed)
            return new Verdict("True", failed.Health.Reason, failed.Health.Message);
        if (!diagnosis.View.Formed) return new Verdict("False", "NotFormed", "the cluster has not formed yet");
        if (diagnosis.View.Membership is null) return new Verdict("True", "NoQuorum", "no quorum of the members answers");
        return diagnosis.Voters.FirstOrDefault(voter => !voter.Ready && voter.Health.State != MemberState.Leaving) is { } silent
            ? new Verdict("True", silent.Health.Reason, $"{diagnosis.HealthyVoters.Count()} of {diagnosis.Voters.Count()} voters serve; {silent.Health.Message}")
            : new Verdict("False", "AllVotersServe", "every voter serves");
    }
}
