using Store.Raft;

namespace Store.Simulation;

/// <summary>Election safety (Raft §5.2): no term has two leaders.</summary>
sealed class LeaderCheck
{
    readonly Dictionary<Term, NodeId> leaders = [];

    public int Count => leaders.Count;

    /// <summary>True when the member leads and was not seen to lead in this term before.</summary>
    public bool SawNew(RaftStatus status)
    {
        if (status.Role != RaftRole.Leader) return false;
        if (leaders.TryAdd(status.Term, status.Id)) return true;
        if (leaders[status.Term] == status.Id) return false;
        throw new SimulationFailureException($"term {status.Term} has two leaders, {leaders[status.Term]} and {status.Id}");
    }
}
