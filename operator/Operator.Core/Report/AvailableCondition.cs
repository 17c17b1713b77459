namespace Operator.Core;

/// <summary>True when a quorum answered in this very pass: the member list was read linearizably.</summary>
static class AvailableCondition
{
    public static Verdict Judge(Diagnosis diagnosis)
    {
        if (diagnosis.View.Membership is not null) return new Verdict("True", "QuorumAnswers", "a linearizable read was answered");
        if (!diagnosis.View.Formed) return new Verdict("False", "NotFormed", "the cluster has not formed yet");
        // Pods that the kubelet calls ready but that do not answer us: the fault may as well be ours or the network's.
        if (diagnosis.View.Reports.Count > 0) return Lost(diagnosis);
        if (diagnosis.Members.FirstOrDefault(member => member.Refusal is not null) is { } refusing)
            return new Verdict("Unknown", "Refused", $"the members do not let the operator in: {refusing.Refusal}");
        return diagnosis.Members.Any(member => member.Health.Reason == "Unreachable")
            ? new Verdict("Unknown", "Unreachable", "no member answers the operator, though Kubernetes calls their pods ready")
            : Lost(diagnosis);
    }

    static Verdict Lost(Diagnosis diagnosis) =>
        new("False", "NoQuorum", $"{diagnosis.View.Reports.Count} of {diagnosis.Members.Count} members answer, and none of them reaches a quorum");
}
