using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.State;

/// <summary>
/// One member: consensus and state machine together. Inputs go in by method, everything to be done comes out as <see cref="Effects"/>. The rules
/// "persist before reply" and "apply before answer" live here. Deterministic; one caller at a time.
/// <para>
/// What arrives between two calls of <see cref="TakeEffects"/> is one batch: one proposal to the core, one round for all reads. Committed entries are
/// applied in the call after the one that handed out the messages and writes which came with them, so that nobody waits for an apply who
/// need not: call until <see cref="HasEffects"/> is false.
/// </para>
/// </summary>
public sealed partial class Replica
{
    /// <summary>Without a leader for so many election timeouts a proposal is refused at once instead of waiting for one.</summary>
    const int LeaderlessElectionTimeouts = 3;
    /// <summary>
    /// A removed member goes on for so many election timeouts: long enough that whoever has not heard that the removal is committed loses patience, stands
    /// for election where this member still counts, and gets its vote.
    /// </summary>
    const int RemovedElectionTimeouts = 3;

    readonly ReplicaOptions options;
    readonly RaftNode raft;
    readonly PendingProposals pending;
    readonly ReadRounds reads;
    readonly LogRetention retention;
    readonly LeaseClock leases;
    readonly NodeId self;
    StateMachine state;

    long now;
    NodeId leader;
    Term term;
    RaftRole role;
    /// <summary>The leader before the last gap without one.</summary>
    long leaderSinceTick;
    long leaderlessSinceTick;

    List<ProposedEntry> proposals = [];
    readonly List<ulong> proposalIds = [];
    readonly Queue<(ConfigChangeKind Kind, MemberChange Change)> changes = new();
    (ulong RequestId, NodeId Target, long Deadline)? transfer;
    /// <summary>To whom a leader that is to be removed has last tried to hand over.</summary>
    NodeId triedHeir;
    bool proposalsArrived;
    bool leaderChanged;

    List<Entry> committed = [];
    SnapshotMetadata? restoring;
    bool removed;
    /// <summary>When a removed member has gone on for long enough; null while that is not in sight.</summary>
    long? leaveTick;
    bool leaving;

    List<Reply> replies = [];
    List<ReadReply> readReplies = [];
    List<GrantedToken> tokens = [];

    public Replica(ReplicaOptions options, RaftStart start, StateMachine state, Random random)
    {
        this.options = options;
        this.state = state;
        self = options.Raft.Id;
        raft = new(options.Raft, start, random);
        pending = new(options.RequestTimeoutTicks);
        reads = new((ulong)random.NextInt64() << 16, options.RequestTimeoutTicks, options.Ticks(500));
        retention = new(options.CatchUpEntries, options.CatchUpBytes);
        leases = new(options.TickMilliseconds);
        if (start.Entries.Count > 0) retention.Applied(start.Entries);
        LeaveIfRemoved();
        FollowVerdicts();
    }

    public StateMachine State => state;

    public RaftStatus Status => raft.Status;

    /// <summary>Requests proposed here that wait for their result.</summary>
    public int PendingCount => pending.Count;

    public NodeId Leader => leader;

    public bool IsLeader => role == RaftRole.Leader;

    /// <summary>The leader of another name, or the same after a gap, was seen so many times (the first one included).</summary>
    public long LeaderChanges { get; private set; }

    public void Tick()
    {
        now++;
        raft.Tick();
        ObserveLeadership();
        ExpireRequests();
        if (reads.Retry(now, atOnce: false) is { } context)
        {
            ReadIndexRetries++;
            raft.ReadIndex(context);
        }
        if (proposals.Count > 0 || changes.Count > 0) proposalsArrived = true;
        if (IsLeader && !removed) LeadTick();
        IntegrityTick();
        if (now >= leaveTick) (leaving, leaveTick) = (true, null);
    }

    /// <summary>Read-index rounds that had to be asked again: lost, late, or by way of a leader that was none any more.</summary>
    public long ReadIndexRetries { get; private set; }

    public void Receive(Message message)
    {
        heardTicks[message.From] = now;
        if (outOfReach.Count > 0) outOfReach.Remove(message.From);
        // 1. A snapshot is being installed. 2. The next leader, who has heard nothing of it, sends its own, of a later point. 3. Taken in now, the first
        // would be finished under the name of the second. So it is left lying as if lost: its sender finds out by probing where this member stands.
        if (message is Message.InstallSnapshot && restoring is not null) return;
        if (!TakeIntegrityMessage(message)) raft.Step(message);
    }

    public void Persisted(ulong sequence) => raft.Persisted(sequence);

    public void ReportUnreachable(NodeId id)
    {
        unreachableTicks[id] = now;
        outOfReach.Add(id);
        raft.ReportUnreachable(id);
    }

    public void ReportSnapshot(NodeId id, LogIndex index, bool delivered) => raft.ReportSnapshot(id, index, delivered);

    /// <summary>The shell has replaced the engine's content by the snapshot of <see cref="Effects.Restore"/>: goes on from there.</summary>
    public void Restored(StateMachine state)
    {
        Invariant.Require(restoring is not null && state.Applied == restoring.Index);
        this.state = state;
        restoring = null;
        retention.Restart(state.Applied);
        raft.Applied(state.Applied);
        LeaveIfRemoved();
        publish = true;
        Rebuilt();
    }

    /// <summary>The engine has made everything up to here durable: the log may be cut behind it, less what lagging followers may want.</summary>
    public void EngineFlushed(LogIndex index) => retention.EngineFlushed(index);

    public bool HasEffects =>
        raft.HasReady || proposalsArrived || leaderChanged || leaving || replies.Count > 0 || readReplies.Count > 0 || publish
        || integrityMessages.Count > 0 || statesWanted.Count > 0 || (committed.Count > 0 && MayApply) || (reads.WantsRound && !leader.IsNone);

    public Effects TakeEffects()
    {
        ObserveLeadership();
        if (committed.Count > 0 && MayApply) ApplyCommitted();
        ProposeWaiting();
        if (reads.WantsRound && !leader.IsNone) raft.ReadIndex(reads.NextContext(now));

        var ready = raft.HasReady ? raft.TakeReady() : Nothing;
        Accept(ready);
        // With nothing on its way to the disk or to others there is nobody whom an apply would keep waiting.
        if (ready.Persist is null && ready.Messages.Count == 0 && committed.Count > 0 && MayApply) ApplyCommitted();
        ObserveLeadership();
        reads.Release(state.Applied, readReplies);
        var cut = retention.TakeCut();
        if (cut is { } upTo) raft.CompactLog(upTo);
        return Take(ready, cut);
    }

    static readonly Ready Nothing = new();

    readonly Dictionary<NodeId, long> heardTicks = [];
    readonly Dictionary<NodeId, long> unreachableTicks = [];
    /// <summary>Members to whom the connection broke, and who have not been heard since.</summary>
    readonly HashSet<NodeId> outOfReach = [];
    bool publish;

    void Accept(Ready ready)
    {
        foreach (var answer in ready.Reads) reads.Confirm(answer);
        if (ready.Restore is { } snapshot)
        {
            // What was committed before the snapshot is part of it.
            restoring = snapshot;
            committed.RemoveAll(entry => entry.Index <= snapshot.Index);
        }
        if (committed.Count == 0) committed = [.. ready.Committed];
        else committed.AddRange(ready.Committed);
    }

    Effects Take(Ready ready, LogIndex? cut)
    {
        leaderChanged = false;
        var effects = new Effects
        {
            Persist = ready.Persist,
            Send = Send(ready.Messages),
            Replies = replies.Count > 0 ? replies : [],
            Reads = readReplies.Count > 0 ? readReplies : [],
            SnapshotsNeeded = statesWanted.Count > 0 ? [.. ready.SnapshotsNeeded.Union(statesWanted)] : ready.SnapshotsNeeded,
            Tokens = tokens.Count > 0 ? tokens : [],
            Restore = ready.Restore,
            Published = publish ? state.View : null,
            CutLog = cut,
            Removed = leaving,
        };
        leaving = false;
        integrityMessages.Clear();
        statesWanted.Clear();
        if (replies.Count > 0) replies = [];
        if (readReplies.Count > 0) readReplies = [];
        if (tokens.Count > 0) tokens = [];
        publish = false;
        return effects;
    }

    IReadOnlyList<Message> Send(IReadOnlyList<Message> messages) => integrityMessages.Count > 0 ? [.. messages, .. integrityMessages] : messages;

    void ApplyCommitted()
    {
        var entries = committed;
        committed = [];
        var results = state.Apply(entries);
        var next = 0;
        foreach (var entry in entries)
        {
            ApplyResult? result = next < results.Count && results[next].Index == entry.Index ? results[next++] : null;
            if (entry.Kind == EntryKind.ConfigChange) ApplyChange(entry, result);
            if (result is not null) Answer(result);
        }
        raft.Applied(entries[^1].Index);
        retention.Applied(entries);
        publish = true;
        if (IsLeader) FollowLeases(results);
        FollowVerdicts();
    }

    /// <summary>A change that the state refused (the member exists, was removed, ...) changes no votes either: the same on every member.</summary>
    void ApplyChange(Entry entry, ApplyResult? result)
    {
        if (result is { Error: not StoreError.None }) return;
        var change = ConfigChange.Decode(entry.Data);
        raft.ApplyConfigChange(change);
        LeaveIfRemoved();
    }

    void LeaveIfRemoved()
    {
        if (removed || !state.View.Cluster.Removed.Contains(self)) return;
        removed = true;
        leaveTick = now + RemovedElectionTimeouts * options.Raft.ElectionTimeoutTicks;
    }

    void Answer(ApplyResult result)
    {
        if (result.Token is { } token) tokens.Add(token);
        if (result.RequestId != 0 && pending.Remove(result.RequestId)) replies.Add(new(result.RequestId, result.Error, result));
    }

    void ObserveLeadership()
    {
        if (raft.Leader == leader && raft.CurrentTerm == term && raft.Role == role) return;
        var wasLeader = IsLeader;
        var previous = leader;
        (leader, term, role) = (raft.Leader, raft.CurrentTerm, raft.Role);
        if (IsLeader || wasLeader) ChangeLead();
        if (leader != previous) ChangeLeader(previous);
        FinishTransfer();
    }

    void ChangeLeader(NodeId previous)
    {
        if (leader.IsNone)
        {
            leaderlessSinceTick = now;
            return;
        }

        LeaderChanges++;
        leaderSinceTick = now;
        leaderChanged = true;
        if (proposals.Count > 0 || changes.Count > 0) proposalsArrived = true;
        // Reads go on at once. etcd ends them with "leader changed", which reaches the users of a Kubernetes before 1.25: its API servers do not repeat reads.
        if (reads.Retry(now, atOnce: true) is { } context) raft.ReadIndex(context);
    }
}
