using Store.Raft;

namespace Store.Simulation;

/// <summary>Election safety (Raft §5.2): no term has two leaders.</summary>
sealed class LeaderCheck
{
    readonly Dictionary<Term, NodeId> leaders = [];

    public int Count => leaders.Count;

    public void Saw(RaftStatus status)
    {
        if (status.Role != RaftRole.Leader) return;
        if (leaders.TryAdd(status.Term, status.Id)) return;
        if (leaders[status.Term] != status.Id) throw new SimulationFailureException($"term {status.Term} has two leaders, {leaders[status.Term]} and {status.Id}");
    }
}
