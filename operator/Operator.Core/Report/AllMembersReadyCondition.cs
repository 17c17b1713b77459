namespace Operator.Core;

/// <summary>True when everybody who is a member serves, however many are wanted.</summary>
static class AllMembersReadyCondition
{
    public static Verdict Judge(Diagnosis diagnosis)
    {
        if (diagnosis.Members.Count == 0) return new Verdict("False", "NoMembers", "there are no members yet");
        return diagnosis.Members.FirstOrDefault(member => !member.Ready) is { } other
            ? new Verdict("False", other.Health.Reason, other.Health.Message)
            : new Verdict("True", "AllServe", $"all {diagnosis.Members.Count} members serve");
    }
}
