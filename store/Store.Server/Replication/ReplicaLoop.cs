using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>
/// The one thread that drives the <see cref="Replica"/>: feeds it inputs from a bounded queue and carries out its effects (log, peers, replies,
/// watchers). Everything that serves clients talks to the replica through here.
/// </summary>
public sealed class ReplicaLoop
{
    /// <summary>The newest published state; for serializable reads, and after <see cref="ReadIndexAsync"/> for linearizable ones.</summary>
    public StateView View => throw new NotImplementedException();

    /// <summary>How consensus stands, refreshed after each turn.</summary>
    public RaftStatus Status => throw new NotImplementedException();

    /// <summary>Proposes the command under a fresh request id and waits until it is applied here. Never throws for expected outcomes.</summary>
    public Task<Reply> ProposeAsync(Command command, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Completes with None when <see cref="View"/> is at least as new as every write acknowledged before the call. Waiting reads share rounds.</summary>
    public ValueTask<StoreError> ReadIndexAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    public Task<Reply> ChangeMembershipAsync(ConfigChangeKind kind, MemberChange change, CancellationToken cancellationToken) => throw new NotImplementedException();

    public Task<StoreError> TransferLeadershipAsync(NodeId target, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Extends the lease at the leader, wherever it is.</summary>
    public Task<LeaseRenewal> RenewLeaseAsync(LeaseId id, CancellationToken cancellationToken) => throw new NotImplementedException();

    public Task<LeaseRemaining> LeaseTimeToLiveAsync(LeaseId id, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Runs on the loop's thread between turns; for rare questions only.</summary>
    public Task<T> AskAsync<T>(Func<Replica, T> question) => throw new NotImplementedException();

    /// <summary>Called on the loop's thread after each new view was published, with that view. Must return at once.</summary>
    public event Action<StateView>? Published { add => throw new NotImplementedException(); remove => throw new NotImplementedException(); }
}
