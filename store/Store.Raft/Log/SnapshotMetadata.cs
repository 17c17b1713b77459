namespace Store.Raft;

/// <summary>The point in the log that a snapshot of the state machine stands for (Raft §7). The state itself travels outside of this core.</summary>
public sealed record SnapshotMetadata(LogIndex Index, Term Term, MembershipConfig Config);
