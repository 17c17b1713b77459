using Store.Raft;

namespace Store.State;

/// <summary>What to do next. All of it may be done at once and in any order, but for Persist, whose sequence counts.</summary>
public sealed record Effects
{
    public PersistRequest? Persist { get; init; }
    public IReadOnlyList<Message> Send { get; init; } = [];
    public IReadOnlyList<Reply> Replies { get; init; } = [];
    public IReadOnlyList<ReadReply> Reads { get; init; } = [];
    /// <summary>Tokens that whoever serves clients must know before the replies go out.</summary>
    public IReadOnlyList<GrantedToken> Tokens { get; init; } = [];
    public IReadOnlyList<NodeId> SnapshotsNeeded { get; init; } = [];
    /// <summary>Replace the engine by the snapshot received for this point, then call <see cref="Replica.Restored"/>; until then nothing is applied.</summary>
    public SnapshotMetadata? Restore { get; init; }
    /// <summary>A new view was published: wake watchers.</summary>
    public StateView? Published { get; init; }
    /// <summary>The log on disk may forget everything up to here.</summary>
    public LogIndex? CutLog { get; init; }
    /// <summary>This member was removed from the cluster some time ago, nobody needs it any more, and it must stop. Said once.</summary>
    public bool Removed { get; init; }
}

public readonly record struct Reply(ulong RequestId, StoreError Error, ApplyResult? Result);

public readonly record struct ReadReply(ulong ReadId, StoreError Error);

/// <param name="AwaitsRevoke">The lease has run out but its revocation is not applied yet: ask again after the next view (contract 1.7: never "renewed", never "not found" too early).</param>
public readonly record struct LeaseRenewal(StoreError Error, long TtlSeconds, bool AwaitsRevoke = false);

/// <param name="RemainingSeconds">Whole seconds, rounded down.</param>
public readonly record struct LeaseRemaining(StoreError Error, long GrantedSeconds, long RemainingSeconds, IReadOnlyList<ReadOnlyMemory<byte>> Keys);
