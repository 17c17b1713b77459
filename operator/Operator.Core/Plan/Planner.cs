namespace Operator.Core;

/// <summary>The whole policy of the operator, as a table read from the top. The first row that acts or halts decides; rows that decline say why.</summary>
/// <remarks>The order is the argument. What protects data (identity, membership in doubt) stands above what repairs, and what repairs above what changes.</remarks>
public static class Planner
{
    public static readonly IReadOnlyList<Rule> Rules =
    [
        new("Delete", SafetyRules.Deleting),
        new("Pause", SafetyRules.Paused),
        new("Validate", SafetyRules.InvalidSpec),
        new("Ownership", SafetyRules.ForeignObjects),
        new("Identity", SafetyRules.ClusterIdConflict),
        new("Token", FormationRules.MintToken),
        new("Restore", RestorationRules.Begin),
        new("Retire", RestorationRules.Retire),
        new("Services", ObjectRules.Services),
        new("Certificates", CertificateRules.Keep),
        new("Form", FormationRules.Form),
        new("Templates", ObjectRules.StatefulSets),
        new("Budget", ObjectRules.Budget),
        new("Claims", ObjectRules.Claims),
        new("RetiredVolumes", RestorationRules.Volumes),
        new("Rollback", Rollback.Start),
        new("Unwedge", RestartRules.Unwedge),
        new("Authentication", AuthRules.Keep),
        new("Quorum", SafetyRules.Quorum),
        new("Leave", MembershipRules.Leave),
        new("RemovedElsewhere", MembershipRules.RemovedElsewhere),
        new("Heal", HealingRules.Replace),
        new("Join", MembershipRules.Join),
        new("Roll", RestartRules.Roll),
        new("Scale", MembershipRules.Scale),
        new("Expand", VolumeRules.Expand),
    ];

    public static Plan Decide(Diagnosis diagnosis)
    {
        var blocked = new List<BlockedStatus>();
        foreach (var rule in Rules)
        {
            switch (rule.Decide(diagnosis))
            {
                case Decision.Act act:
                    return new Plan(act.Step, rule.Name, blocked);
                case Decision.Halt halt:
                    blocked.Add(new BlockedStatus { Rule = rule.Name, Reason = halt.Reason, Message = halt.Message });
                    return new Plan(null, rule.Name, blocked);
                case Decision.Decline decline:
                    blocked.Add(new BlockedStatus { Rule = rule.Name, Reason = decline.Reason, Message = decline.Message });
                    break;
            }
        }

        return new Plan(null, Plan.Steady, blocked);
    }
}
