namespace Operator.Core;

/// <summary>Whether the last pass went as it should: the spec could be read, and what was tried worked.</summary>
static class ReconciledCondition
{
    public static Verdict Judge(Diagnosis diagnosis, string? error)
    {
        if (diagnosis.InvalidSpec is { } invalid) return new Verdict("False", "InvalidSpec", invalid);
        return error is null ? new Verdict("True", "Reconciled", "the last pass succeeded") : new Verdict("False", "StepFailed", error);
    }
}
