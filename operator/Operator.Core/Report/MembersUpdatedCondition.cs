namespace Operator.Core;

/// <summary>True when every pod runs the template that the spec asks for.</summary>
static class MembersUpdatedCondition
{
    public static Verdict Judge(Diagnosis diagnosis)
    {
        if (diagnosis.InvalidSpec is { } invalid) return new Verdict("Unknown", "InvalidSpec", invalid);
        var outdated = diagnosis.Members.Where(member => member.Outdated).Select(member => member.Name.ToString()).ToList();
        if (outdated.Count == 0 && Rollback.IsInForce(diagnosis.View)) return new Verdict("False", "RolledBack", $"the wanted template failed: {diagnosis.View.Status.Update!.Message}");
        return outdated.Count == 0
            ? new Verdict("True", "UpToDate", "every pod runs the wanted template")
            : new Verdict("False", "Outdated", $"{outdated.Count} of {diagnosis.Members.Count} pods still run a former template: {string.Join(", ", outdated)}");
    }
}
