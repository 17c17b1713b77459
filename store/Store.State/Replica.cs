using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.State;

/// <summary>Times are in ticks of <see cref="RaftOptions"/>'s heartbeat; one tick is <see cref="TickMilliseconds"/>.</summary>
public sealed record ReplicaOptions
{
    public required RaftOptions Raft { get; init; }
    public required int TickMilliseconds { get; init; }
    public required StateOptions State { get; init; }
    public int LearnersMax { get; init; } = 1;
    public bool StrictReconfigCheck { get; init; } = true;
    /// <summary>Proposals waiting for their result before more are refused with TooManyRequests.</summary>
    public int PendingProposalsMax { get; init; } = 20_000;
}

/// <summary>
/// One member: consensus and state machine together. Inputs go in by method, everything to be done comes out as <see cref="Effects"/>. The rules
/// "persist before reply" and "apply before answer" live here. Deterministic; one caller at a time.
/// </summary>
public sealed partial class Replica
{
    public Replica(ReplicaOptions options, RaftStart start, StateMachine state, Random random) => throw new NotImplementedException();

    public StateMachine State => throw new NotImplementedException();

    public RaftStatus Status => throw new NotImplementedException();

    public void Tick() => throw new NotImplementedException();

    public void Receive(Message message) => throw new NotImplementedException();

    /// <summary>Proposes a command with its request id set. The answer comes once in <see cref="Effects.Replies"/>: a result, an error, or Timeout when its fate is unknown.</summary>
    public void Propose(Command command) => throw new NotImplementedException();

    /// <summary>Checks (contract 1.8) and proposes a change of membership; answered like a command.</summary>
    public void ChangeMembership(ConfigChangeKind kind, MemberChange change) => throw new NotImplementedException();

    /// <summary>Answered in <see cref="Effects.Reads"/> once the state is at least as new as every write acknowledged before this call, or with an error.</summary>
    public void Read(ulong readId) => throw new NotImplementedException();

    /// <summary>Answered in <see cref="Effects.Replies"/> under the request id when the target leads, or with an error.</summary>
    public void TransferLeadership(ulong requestId, NodeId target) => throw new NotImplementedException();

    /// <summary>On the leader: extends the lease. Error NotLeader: ask the leader; LeaseNotFound.</summary>
    public LeaseRenewal RenewLease(LeaseId id) => throw new NotImplementedException();

    /// <summary>On the leader: what is left of the lease.</summary>
    public LeaseRemaining TimeToLive(LeaseId id) => throw new NotImplementedException();

    public void Persisted(ulong sequence) => throw new NotImplementedException();

    public void ReportUnreachable(NodeId id) => throw new NotImplementedException();

    public void ReportSnapshot(NodeId id, LogIndex index, bool delivered) => throw new NotImplementedException();

    /// <summary>The shell has replaced the engine's content by the snapshot of <see cref="Effects.Restore"/>: goes on from there.</summary>
    public void Restored(StateMachine state) => throw new NotImplementedException();

    /// <summary>The engine has made everything up to here durable: the log may be cut behind it, less what lagging followers may want.</summary>
    public void EngineFlushed(LogIndex index) => throw new NotImplementedException();

    public Effects TakeEffects() => throw new NotImplementedException();
}

/// <summary>What to do next. All of it may be done at once and in any order, but for Persist, whose sequence counts.</summary>
public sealed record Effects
{
    public PersistRequest? Persist { get; init; }
    public IReadOnlyList<Message> Send { get; init; } = [];
    public IReadOnlyList<Reply> Replies { get; init; } = [];
    public IReadOnlyList<ReadReply> Reads { get; init; } = [];
    public IReadOnlyList<NodeId> SnapshotsNeeded { get; init; } = [];
    /// <summary>Replace the engine by the snapshot received for this point, then call <see cref="Replica.Restored"/>; until then nothing is applied.</summary>
    public SnapshotMetadata? Restore { get; init; }
    /// <summary>A new view was published: wake watchers.</summary>
    public StateView? Published { get; init; }
    /// <summary>The log on disk may forget everything up to here.</summary>
    public LogIndex? CutLog { get; init; }
    /// <summary>This member was removed from the cluster and must stop.</summary>
    public bool Removed { get; init; }
}

public readonly record struct Reply(ulong RequestId, StoreError Error, ApplyResult? Result);

public readonly record struct ReadReply(ulong ReadId, StoreError Error);

public readonly record struct LeaseRenewal(StoreError Error, long TtlSeconds);

public readonly record struct LeaseRemaining(StoreError Error, long GrantedSeconds, long RemainingSeconds, IReadOnlyList<ReadOnlyMemory<byte>> Keys);
