namespace Operator.Core;

/// <summary>True when every member that answers belongs to the one cluster that was formed here.</summary>
static class IdentityConsistentCondition
{
    public static Verdict Judge(Diagnosis diagnosis)
    {
        if (SafetyRules.ClusterIdConflict(diagnosis) is Decision.Halt conflict) return new Verdict("False", conflict.Reason, conflict.Message);
        return diagnosis.View.Reports.Count == 0
            ? new Verdict("Unknown", "NoAnswer", "no member answers the operator")
            : new Verdict("True", "OneCluster", "every member that answers is of the same cluster");
    }
}
