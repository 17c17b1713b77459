namespace Operator.Core;

/// <summary>True when the voters that serve are a quorum; the message says how many of them may still fail. Available is about a client's request,
/// this is about what stands behind it.</summary>
static class QuorumHealthyCondition
{
    public static Verdict Judge(Diagnosis diagnosis)
    {
        if (!diagnosis.View.Formed) return new Verdict("False", "NotFormed", "the cluster has not formed yet");
        if (diagnosis.View.Membership is not { } membership)
        {
            return diagnosis.View.Reports.Count == 0
                ? new Verdict("Unknown", "NoAnswer", "no member answers the operator")
                : new Verdict("False", "QuorumLost", "the members that answer reach no quorum");
        }

        var voters = membership.Members.Count(member => !member.Learner);
        var (healthy, quorum) = (diagnosis.HealthyVoters.Count(), Numbers.Quorum(voters));
        return healthy < quorum
            ? new Verdict("False", "QuorumUnready", $"{healthy} of {voters} voters serve, and a quorum is {quorum}")
            : new Verdict("True", "QuorumServes", $"{healthy} of {voters} voters serve; {healthy - quorum} of them may fail");
    }
}
