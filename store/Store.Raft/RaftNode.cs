namespace Store.Raft;

/// <summary>
/// One member's consensus: give it messages, ticks and proposals, then take what it wants done (<see cref="Ready"/>). No I/O, no clock, no
/// threads; the same inputs give the same outputs.
/// </summary>
/// <example>
/// <code>
/// node.Propose([new(EntryKind.Normal, command)]);
/// while (node.HasReady)
/// {
///     var ready = node.TakeReady();
///     disk.Write(ready.Persist);          // later, in order: node.Persisted(sequence)
///     peers.Send(ready.Messages);         // at once
///     machine.Apply(ready.Committed);     // then: node.Applied(last)
/// }
/// </code>
/// </example>
public sealed partial class RaftNode
{
    readonly Random random;
    Role role;

    public RaftNode(RaftOptions options, RaftStart start, Random random)
    {
        Invariant.Require(!options.Id.IsNone && options.ElectionTimeoutTicks > options.HeartbeatTicks && options.HeartbeatTicks > 0);
        (Options, this.random) = (options, random);
        Log = new(start.Snapshot, start.Entries);
        (Term, VotedFor) = (start.HardState.Term, start.HardState.VotedFor);
        Invariant.Require(start.Applied >= start.Snapshot.Index && start.Applied <= Log.LastIndex);
        Invariant.Require(start.HardState.Commit <= Log.LastIndex);
        // The commit index on disk may be older than what was applied: it is written only along with other things.
        Commit = LogIndex.Max(LogIndex.Max(start.HardState.Commit, start.Applied), CommittedByChanges(start.Entries));
        (AppliedIndex, handedOut) = (start.Applied, start.Applied);
        Disk = new(start.HardState, Log.LastIndex);
        InitialConfig = start.Snapshot.Index == LogIndex.Zero ? start.Snapshot.Config : MembershipConfig.Empty;
        Config = start.Config ?? ConfigAt(start);
        role = new Follower(this, NodeId.None);
        @checked = Snapshot();
    }

    public RaftStatus Status => new(
        Id, role.Kind, Term, role.LeaderId, Commit, AppliedIndex, Log.FirstIndex, Log.LastIndex, role.TransferTarget, Config, role.Followers);

    /// <summary>One heartbeat interval has passed.</summary>
    public void Tick() => role.Tick();

    /// <summary>A message has arrived. Messages of strangers, of the past and duplicates are harmless.</summary>
    public void Step(Message message)
    {
        if (message.To != Id) return;
        switch (message)
        {
            // These ask whoever leads for something and are no part of the agreement: their terms mean nothing.
            case Message.Propose propose:
                if (role.Kind == RaftRole.Leader) role.Propose(propose.Entries);
                return;
            case Message.ReadIndexRequest request:
                role.ReadIndex(request.From, request.Term, request.Context);
                return;
            case Message.TransferLeader transfer:
                if (role.Kind == RaftRole.Leader) role.TransferLeadership(transfer.Target);
                return;
            case Message.InstallSnapshot install:
                TakeSnapshot(install);
                return;
        }
        if (message.Term < Term) AnswerOldTerm(message);
        else if (message.Term == Term || AdmitLaterTerm(message)) StepInTerm(message);
    }

    /// <summary>Stands for election now, pre-vote first, as if the election timeout had passed. For tests, and for a single member that need not wait for anyone.</summary>
    public void Campaign()
    {
        if (role.Kind != RaftRole.Leader) Campaign(transfer: false);
    }

    /// <summary>Proposes commands, in order; a follower passes them on to the leader. All are taken or none.</summary>
    public ProposeError Propose(IReadOnlyList<ProposedEntry> entries)
    {
        if (!Config.Voters.IsEmpty && !Config.Contains(Id)) return ProposeError.NotMember;
        return entries.Count == 0 ? ProposeError.None : role.Propose(entries);
    }

    /// <summary>Asks for an index at which a read is linearizable; the answer is in <see cref="Ready.Reads"/>, or never comes (no leader, leader changed): ask again with a new context.</summary>
    public void ReadIndex(ulong context) => role.ReadIndex(Id, Term, context);

    /// <summary>The leader hands over to the target; gives up after an election timeout. On a follower it is passed on.</summary>
    public void TransferLeadership(NodeId target) => role.TransferLeadership(target);

    /// <summary>The state machine has applied everything up to the index (or was replaced by a snapshot that stands for it).</summary>
    public void Applied(LogIndex index)
    {
        Invariant.Require(index >= AppliedIndex && index <= handedOut);
        AppliedIndex = index;
    }

    /// <summary>A config change entry is being applied: takes effect here (membership counts from apply, as in etcd).</summary>
    public MembershipConfig ApplyConfigChange(ConfigChange change)
    {
        var next = Config.With(change);
        if (!next.Equals(Config))
        {
            Config = next;
            role.ConfigChanged();
        }
        return next;
    }

    /// <summary>The transport could not reach the member: replication goes back to probing.</summary>
    public void ReportUnreachable(NodeId id) => role.ReportUnreachable(id);

    /// <summary>The shell has finished (or given up) streaming a snapshot up to <paramref name="index"/> to the member.</summary>
    public void ReportSnapshot(NodeId id, LogIndex index, bool delivered) => role.ReportSnapshot(id, index, delivered);

    /// <summary>Forgets entries up to and including the index in memory; never beyond applied.</summary>
    public void CompactLog(LogIndex upTo)
    {
        Invariant.Require(upTo <= AppliedIndex);
        Log.Compact(upTo);
    }

    /// <summary>The term of the entry at the index, for naming a snapshot; null where the log has none.</summary>
    public Term? TermAt(LogIndex index) => Log.TermAt(index);

    /// <summary>
    /// A change of membership is only proposed where the one before it is applied: whoever has the later one knows that the earlier is committed, even if
    /// that is not on its disk. Without this knowledge it would count votes two configurations back, where majorities need not meet:
    /// <list type="number">
    /// <item>Of 1, 2 and 3 the leader 3 removes 2, and then, with the acknowledgement of 1, it removes 1. 1 has both entries, but crashes before its disk knows of any commit.</item>
    /// <item>3 goes on alone. 1 starts again, stands in {1, 2, 3}, gets the vote of 2, and two leaders commit different entries.</item>
    /// </list>
    /// </summary>
    static LogIndex CommittedByChanges(IReadOnlyList<Entry> entries)
    {
        var laterSeen = false;
        for (var i = entries.Count - 1; i >= 0; i--)
        {
            if (entries[i].Kind != EntryKind.ConfigChange || !ConfigChange.Decode(entries[i].Data).ChangesVotes) continue;
            if (laterSeen) return entries[i].Index;
            laterSeen = true;
        }
        return LogIndex.Zero;
    }

    /// <summary>The configuration at the log's start, brought forward by the changes that the state machine has applied already.</summary>
    static MembershipConfig ConfigAt(RaftStart start)
    {
        var config = start.Snapshot.Config;
        foreach (var entry in start.Entries)
        {
            if (entry.Index > start.Applied) break;
            if (entry.Kind == EntryKind.ConfigChange) config = config.With(ConfigChange.Decode(entry.Data));
        }
        return config;
    }
}
