using Google.Protobuf;
using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.State;

/// <content>Proposals, changes of membership, reads and hand-overs: taking them in, and what becomes of those that get no answer.</content>
public sealed partial class Replica
{
    const long HealthMilliseconds = 5_000;

    bool LeaderlessForLong =>
        leader.IsNone && now - leaderlessSinceTick > LeaderlessElectionTimeouts * options.Raft.ElectionTimeoutTicks;

    /// <summary>Proposes a command with its request id set. The answer comes once in <see cref="Effects.Replies"/>: a result, an error, or Timeout when its fate is unknown.</summary>
    public void Propose(Command command) => Propose(command.RequestId, command.ToByteArray());

    /// <summary>The same with the command already encoded: shells encode on their own threads.</summary>
    public void Propose(ulong requestId, ReadOnlyMemory<byte> command)
    {
        Invariant.Require(requestId != 0);
        if (Refusal() is var refusal && refusal != StoreError.None)
        {
            replies.Add(new(requestId, refusal, null));
            return;
        }

        pending.Add(requestId, now);
        proposals.Add(new(EntryKind.Normal, command));
        proposalIds.Add(requestId);
        proposalsArrived = true;
    }

    /// <summary>
    /// Checks (contract 1.8) and proposes a change of membership; answered like a command. Only the leader can judge it: elsewhere NotLeader, and at a leader that
    /// is to be removed NotLeader once it has handed over. NotLeader always means that nothing was proposed.
    /// </summary>
    public void ChangeMembership(ConfigChangeKind kind, MemberChange change)
    {
        Invariant.Require(change.RequestId != 0);
        var refusal = Refusal();
        if (refusal == StoreError.None && !IsLeader) refusal = leader.IsNone ? StoreError.NoLeader : StoreError.NotLeader;
        if (refusal != StoreError.None)
        {
            replies.Add(new(change.RequestId, refusal, null));
            return;
        }

        pending.Add(change.RequestId, now);
        changes.Enqueue((kind, change));
        proposalsArrived = true;
    }

    /// <summary>Answered in <see cref="Effects.Reads"/> once the state is at least as new as every write acknowledged before this call, or with an error.</summary>
    public void Read(ulong readId)
    {
        if (removed) readReplies.Add(new(readId, StoreError.Stopped));
        else if (rebuilding) readReplies.Add(new(readId, StoreError.CorruptCluster));
        else reads.Add(readId, now);
    }

    /// <summary>Answered in <see cref="Effects.Replies"/> under the request id when the target leads, or with an error.</summary>
    public void TransferLeadership(ulong requestId, NodeId target)
    {
        var error = StoreError.None;
        if (!IsLeader) error = StoreError.NotLeader;
        else if (!raft.Status.Config.Voters.Contains(target)) error = StoreError.BadLeaderTransferee;
        else if (transfer is not null) error = StoreError.TooManyRequests;
        if (error != StoreError.None || target == self)
        {
            replies.Add(new(requestId, error, null));
            return;
        }

        // The core gives up after one election timeout; one more for the target's election.
        transfer = (requestId, target, now + 2 * options.Raft.ElectionTimeoutTicks);
        raft.TransferLeadership(target);
    }

    /// <summary>Why nothing can be proposed now.</summary>
    StoreError Refusal()
    {
        if (removed) return StoreError.Stopped;
        if (pending.Count >= options.PendingProposalsMax) return StoreError.TooManyRequests;
        if (raft.CommitIndex > state.Applied + options.ApplyBacklogMax) return StoreError.TooManyRequests;
        return LeaderlessForLong ? StoreError.NoLeader : StoreError.None;
    }

    /// <summary>
    /// Everything that arrived since the last turn in one proposal. What the core cannot take now waits, for a leader or for its time to run out. So does what would be sent to a
    /// leader that has just died: nobody could tell afterwards whether it had come through, and its client would wait in vain.
    /// </summary>
    void ProposeWaiting()
    {
        proposalsArrived = false;
        if (leader.IsNone || outOfReach.Contains(leader)) return;
        if (proposals.Count > 0)
        {
            switch (raft.Propose(proposals))
            {
                case ProposeError.None:
                    proposals = [];
                    proposalIds.Clear();
                    break;
                case ProposeError.TooManyUncommitted:
                    DropProposals(StoreError.TooManyRequests);
                    break;
                case ProposeError.NotMember:
                    DropProposals(StoreError.Stopped);
                    break;
            }
        }
        if (changes.Count > 0) ProposeChange();
    }

    /// <summary>One change at a time, judged by the state in which it is proposed: an earlier one may have made it impossible.</summary>
    void ProposeChange()
    {
        var (kind, change) = changes.Peek();
        var error = IsLeader ? MembershipRules.Check(kind, change, state.View.Cluster, raft.Status, IsHealthy, options) : StoreError.NotLeader;
        if (error == StoreError.None && kind == ConfigChangeKind.Remove && new NodeId(change.Member.ID) == self && HandOver()) return;
        if (error == StoreError.None)
        {
            var data = new ConfigChange(kind, new(change.Member.ID), change.ToByteArray()).Encode();
            var outcome = raft.Propose([new(EntryKind.ConfigChange, data)]);
            // Behind an unapplied change or a hand-over: stays in the queue and is tried again at the next tick.
            if (outcome is ProposeError.ConfigChangePending or ProposeError.TransferInProgress or ProposeError.NoLeader) return;
            error = outcome switch
            {
                ProposeError.None => StoreError.None,
                ProposeError.TooManyUncommitted => StoreError.TooManyRequests,
                _ => StoreError.Stopped,
            };
        }

        changes.Dequeue();
        if (error != StoreError.None && pending.Remove(change.RequestId)) replies.Add(new(change.RequestId, error, null));
        if (changes.Count > 0) proposalsArrived = true;
    }

    /// <summary>
    /// A leader does not remove itself: it hands over first, and the change is then refused with NotLeader for the new leader to make. Otherwise the last one
    /// to know that its removal is committed would be the one who goes. False when there is nobody to hand over to.
    /// </summary>
    bool HandOver()
    {
        var status = raft.Status;
        if (!status.TransferTarget.IsNone) return true;
        var heirs = status.Followers.Where(member => !member.IsLearner && !diverged.Contains(member.Id)).OrderBy(member => member.Id == triedHeir).ThenByDescending(member => IsActive(member.Id)).ThenByDescending(member => member.Match);
        if (heirs.FirstOrDefault() is not { } heir) return false;
        triedHeir = heir.Id;
        raft.TransferLeadership(heir.Id);
        return true;
    }

    void DropProposals(StoreError error)
    {
        foreach (var id in proposalIds)
        {
            if (pending.Remove(id)) replies.Add(new(id, error, null));
        }
        proposals = [];
        proposalIds.Clear();
    }

    void ExpireRequests()
    {
        if (LeaderlessForLong && proposals.Count > 0) DropProposals(StoreError.NoLeader);
        foreach (var (requestId, startTick) in pending.TakeExpired(now)) replies.Add(new(requestId, TimeoutReason(startTick), null));
        while (changes.TryPeek(out var head) && !pending.Contains(head.Change.RequestId)) changes.Dequeue();
        reads.Expire(now, leaderSinceTick, readReplies);
        if (transfer is { } handOver && now >= handOver.Deadline)
        {
            replies.Add(new(handOver.RequestId, StoreError.Timeout, null));
            transfer = null;
        }
    }

    /// <summary>
    /// The fate of the request is unknown; the error tells what probably happened to it: the leader it went to was lost just before another was
    /// elected, or the leader, or the quorum, could not be reached.
    /// </summary>
    StoreError TimeoutReason(long startTick)
    {
        var previousLeaderLost = leaderSinceTick - 2 * options.Raft.ElectionTimeoutTicks;
        if (!leader.IsNone && startTick > previousLeaderLost && startTick < leaderSinceTick) return StoreError.TimeoutDueToLeaderFail;
        if (leader.IsNone) return StoreError.Timeout;
        if (!IsLeader)
        {
            return unreachableTicks.TryGetValue(leader, out var tick) && tick >= startTick ? StoreError.TimeoutDueToConnectionLost : StoreError.Timeout;
        }

        var voters = raft.Status.Config.Voters;
        return voters.Count(IsActive) < voters.Count / 2 + 1 ? StoreError.TimeoutDueToConnectionLost : StoreError.Timeout;
    }

    /// <summary>Heard from within the last election timeout.</summary>
    bool IsActive(NodeId id) => id == self || (heardTicks.TryGetValue(id, out var tick) && now - tick <= options.Raft.ElectionTimeoutTicks);

    /// <summary>
    /// For changes of membership (contract 1.8, etcd's HealthInterval): connected, as far as is known, and not silent for 5 s. A member that dies is known to be gone
    /// at once, because its connections break; one that hangs for a moment is not.
    /// </summary>
    bool IsHealthy(NodeId id)
    {
        if (id == self) return true;
        if (!heardTicks.TryGetValue(id, out var heard) || now - heard > options.Ticks(HealthMilliseconds)) return false;
        return !unreachableTicks.TryGetValue(id, out var unreachable) || unreachable <= heard;
    }

    void FinishTransfer()
    {
        if (transfer is not { } handOver || leader != handOver.Target) return;
        replies.Add(new(handOver.RequestId, StoreError.None, null));
        transfer = null;
    }
}
