namespace Operator.Core;

/// <summary>What one rule says about one observation.</summary>
public abstract record Decision
{
    Decision()
    {
    }

    /// <summary>The rule has nothing to do here.</summary>
    public sealed record Pass : Decision;

    public sealed record Act(Step Step) : Decision;

    /// <summary>The rule would act but may not; later rules may still.</summary>
    public sealed record Decline(string Reason, string Message) : Decision;

    /// <summary>Neither this rule nor any later one may act.</summary>
    public sealed record Halt(string Reason, string Message) : Decision;

    public static readonly Decision NothingToDo = new Pass();
}

/// <summary>A named row of the planner's table.</summary>
public sealed record Rule(string Name, Func<Diagnosis, Decision> Decide);

/// <param name="Step">What to do now; null when nothing is to be done, or nothing may be.</param>
/// <param name="Rule">The rule that the step or the halt came from; "Steady" when no rule wanted anything.</param>
public sealed record Plan(Step? Step, string Rule, IReadOnlyList<BlockedStatus> Blocked)
{
    public const string Steady = "Steady";
}
