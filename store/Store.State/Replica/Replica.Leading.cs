using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.State;

/// <content>What only a leader does: lets leases run out, keeps what is left of them in the log, moves the cluster's version.</content>
public sealed partial class Replica
{
    const int RevokesPerPass = 500;
    const int CheckpointsPerCommand = 1_000;

    /// <summary>Revocations proposed here because a lease had run out.</summary>
    public long LeasesExpired { get; private set; }

    long nextLeasePassTick;
    long clusterVersionRetryTick;

    /// <summary>
    /// On the leader: extends the lease. Errors: NotLeader (ask the leader), LeaseNotFound. The caller must have had a <see cref="Read"/> answered in
    /// this very turn: a leader that was stalled and replaced would otherwise renew what its successor has revoked (contract 1.7).
    /// </summary>
    public LeaseRenewal RenewLease(LeaseId id)
    {
        if (!IsLeader || removed) return new(StoreError.NotLeader, 0);
        if (state.FindLease(id) is not { } lease) return new(StoreError.LeaseNotFound, 0);
        if (leases.IsExpired(id, now)) return new(StoreError.None, 0, AwaitsRevoke: true);
        if (leases.Renew(id, now)) ProposeAsLeader(Checkpoint([(id, 0)]));
        return new(StoreError.None, lease.GrantedSeconds);
    }

    /// <summary>On the leader: what is left of the lease.</summary>
    public LeaseRemaining TimeToLive(LeaseId id)
    {
        if (!IsLeader || removed) return new(StoreError.NotLeader, 0, 0, []);
        if (state.FindLease(id) is not { } lease) return new(StoreError.LeaseNotFound, 0, 0, []);
        return new(StoreError.None, lease.GrantedSeconds, leases.RemainingSeconds(id, now), lease.Keys);
    }

    void ChangeLead()
    {
        leases.Clear();
        comparison = null;
        if (!IsLeader) return;
        // Nobody could renew while there was no leader: one election timeout on top for everyone.
        foreach (var lease in state.Leases)
        {
            var remaining = lease.RemainingSeconds > 0 ? lease.RemainingSeconds : lease.GrantedSeconds;
            leases.Hold(lease.Id, lease.GrantedSeconds, remaining, now, options.Raft.ElectionTimeoutTicks);
        }
    }

    /// <summary>Grants start their time when they are applied on the leader. Revoked ones are found to be gone when their time comes.</summary>
    void FollowLeases(IReadOnlyList<ApplyResult> results)
    {
        for (var i = 0; i < results.Count; i++)
        {
            if (results[i] is { Error: StoreError.None, Response: LeaseGrantResponse granted }) leases.Hold(new(granted.ID), granted.TTL, granted.TTL, now, 0);
        }
    }

    void LeadTick()
    {
        if (now < nextLeasePassTick) return;
        nextLeasePassTick = now + options.Ticks(500);
        if (!CompareStates()) return;
        RevokeExpired();
        CheckpointLeases();
        MoveClusterVersion();
    }

    void RevokeExpired()
    {
        foreach (var id in leases.TakeExpired(now, RevokesPerPass))
        {
            if (state.FindLease(id) is null) leases.Forget(id);
            else if (ProposeAsLeader(new() { LeaseRevoke = new() { ID = id.Value } })) LeasesExpired++;
            else return;
        }
    }

    void CheckpointLeases()
    {
        var due = leases.TakeCheckpoints(now, CheckpointsPerCommand);
        due.RemoveAll(lease => state.FindLease(lease.Id) is null);
        if (due.Count > 0) ProposeAsLeader(Checkpoint(due));
    }

    static Command Checkpoint(IReadOnlyList<(LeaseId Id, long RemainingSeconds)> remaining)
    {
        var request = new LeaseCheckpointRequest();
        foreach (var (id, seconds) in remaining) request.Checkpoints.Add(new LeaseCheckpoint { ID = id.Value, RemainingTTL = seconds });
        return new() { LeaseCheckpoint = request };
    }

    /// <summary>The cluster speaks the oldest member's version: it rises once every member has told its own and all are above it, and falls where a downgrade goes to.</summary>
    void MoveClusterVersion()
    {
        if (now < clusterVersionRetryTick) return;
        var cluster = state.View.Cluster;
        Command? next = ClusterVersions.Next(cluster) is { } version ? new() { ClusterVersion = new() { Version = version } }
            : Downgrades.IsDone(cluster) ? new() { Downgrade = new() }
            : null;
        if (next is null) return;
        clusterVersionRetryTick = now + options.RequestTimeoutTicks;
        ProposeAsLeader(next);
    }

    /// <summary>
    /// Nobody waits for these (request id zero). They go straight to the core and only as a leader's own: were they queued, a leader that lost its place in the
    /// meantime would forward them, and its successor would revoke leases that it has just renewed.
    /// </summary>
    bool ProposeAsLeader(Command command)
    {
        if (raft.Role != RaftRole.Leader) return false;
        state.Seal(command, LeaseId.None);
        return raft.Propose([new(EntryKind.Normal, command.ToByteArray())]) == ProposeError.None;
    }
}
