namespace Operator.Core;

/// <summary>True while spec.paused keeps the operator from changing anything.</summary>
static class PausedCondition
{
    public static Verdict Judge(Diagnosis diagnosis) => diagnosis.View.Spec.Paused
        ? new Verdict("True", "PausedBySpec", "spec.paused is set")
        : new Verdict("False", "NotPaused", "changes are carried out");
}
