using System.Globalization;

namespace Operator.Core;

/// <summary>Replacing members that are gone. The new one is Scale's doing: a number of its own, an empty volume of its own.</summary>
static class HealingRules
{
    /// <summary>
    /// Removes the lost member first and adds afterwards, as adding first would raise the quorum that the lost one already counts against:
    ///   1. of orders-1, -2, -3 the disk of orders-2 is gone; RemoveMember of orders-2 goes to status;
    ///   2. it leaves the list: two voters, both serve, a quorum is two;
    ///   3. what is left of it is deleted, and orders-4 is added.
    /// One operation at a time, so never two members at once. An addition that has not reached the member list yet gives way: it could not proceed anyway,
    /// since the store admits nobody while a voter is silent.
    /// </summary>
    public static Decision Replace(Diagnosis diagnosis)
    {
        if (diagnosis.Operation is { } operation && !GivesWay(diagnosis, operation)) return Decision.NothingToDo;
        var lost = diagnosis.Members.Where(member => member is { Listed: not null, Loss: { } loss } && loss.Since < diagnosis.View.ObservedAt).OrderBy(member => Due(diagnosis.View.Spec.Healing, member.Loss!)).FirstOrDefault();
        if (lost is null) return Decision.NothingToDo;
        var (healing, due) = (diagnosis.View.Spec.Healing, Due(diagnosis.View.Spec.Healing, lost.Loss!));
        if (!healing.Enabled) return new Decision.Decline("HealingDisabled", $"{lost.Loss!.Message}; spec.healing.enabled is false, so {lost.Name} is not replaced");
        if (diagnosis.View.ObservedAt < due)
        {
            return new Decision.Decline("WaitingForReturn",
                string.Create(CultureInfo.InvariantCulture, $"{lost.Loss!.Message}; {lost.Name} is replaced at {due:HH:mm:ss} UTC unless it comes back"));
        }

        return Endangered(diagnosis, lost) is { } danger
            ? new Decision.Decline("QuorumAtRisk", $"{lost.Loss!.Message}; {lost.Name} is not replaced: {danger}")
            : new Decision.Act(new Step.StartOperation(Operations.Remove, lost.Name));
    }

    public static DateTime Due(HealingSpec healing, Loss loss)
    {
        var seconds = loss.Reason == Loss.NodeLost ? healing.NodeLostAfterSeconds : healing.DiskLostAfterSeconds;
        return loss.Since > DateTime.MaxValue.AddSeconds(-seconds) ? DateTime.MaxValue : loss.Since.AddSeconds(seconds);
    }

    static bool GivesWay(Diagnosis diagnosis, OperationStatus operation) =>
        operation.Kind == Operations.Add && diagnosis.Find(operation.Member) is { } joining && (joining.Listed is null || joining.Loss is not null);

    /// <summary>Null when those who stay are a serving quorum of those who stay.</summary>
    static string? Endangered(Diagnosis diagnosis, MemberVerdict lost)
    {
        if (lost.Learner) return null;
        var others = diagnosis.View.Membership!.Members.Count(member => !member.Learner && member.Id != lost.Listed!.Id);
        var healthy = diagnosis.HealthyVoters.Count(member => member.Name != lost.Name);
        return others > 0 && healthy >= Numbers.Quorum(others) ? null : $"without it only {healthy} of {others} voters would serve, which is no quorum";
    }
}
