namespace Store.Raft;

/// <summary>What must be on disk before a message that depends on it leaves (Raft, figure 2: persistent state).</summary>
/// <param name="Commit">Kept so that a restarted member applies at once what it knew to be committed.</param>
public readonly record struct HardState(Term Term, NodeId VotedFor, LogIndex Commit);
