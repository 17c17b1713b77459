namespace Store.Raft;

/// <summary>
/// One member's consensus: give it messages, ticks and proposals, then take what it wants done (<see cref="Ready"/>). No I/O, no clock, no
/// threads; the same inputs give the same outputs.
/// </summary>
public sealed partial class RaftNode
{
    public RaftNode(RaftOptions options, RaftStart start, Random random) => throw new NotImplementedException();

    /// <summary>One heartbeat interval has passed.</summary>
    public void Tick() => throw new NotImplementedException();

    /// <summary>A message has arrived. Messages of strangers, of the past and duplicates are harmless.</summary>
    public void Step(Message message) => throw new NotImplementedException();

    /// <summary>Proposes commands, in order; a follower passes them on to the leader. All are taken or none.</summary>
    public ProposeError Propose(IReadOnlyList<ProposedEntry> entries) => throw new NotImplementedException();

    /// <summary>Asks for an index at which a read is linearizable; the answer is in <see cref="Ready.Reads"/>, or never comes (no leader, leader changed): ask again with a new context.</summary>
    public void ReadIndex(ulong context) => throw new NotImplementedException();

    /// <summary>The leader hands over to the target; gives up after an election timeout. On a follower it is passed on.</summary>
    public void TransferLeadership(NodeId target) => throw new NotImplementedException();

    public bool HasReady => throw new NotImplementedException();

    /// <summary>Takes the next intentions; each is handed out once.</summary>
    public Ready TakeReady() => throw new NotImplementedException();

    /// <summary>Everything up to this sequence is on disk: releases the messages, acknowledgements and votes that waited for it.</summary>
    public void Persisted(ulong sequence) => throw new NotImplementedException();

    public void Applied(LogIndex index) => throw new NotImplementedException();

    /// <summary>A config change entry is being applied: takes effect here (membership counts from apply, as in etcd).</summary>
    public MembershipConfig ApplyConfigChange(ConfigChange change) => throw new NotImplementedException();

    /// <summary>The transport could not reach the member: replication goes back to probing.</summary>
    public void ReportUnreachable(NodeId id) => throw new NotImplementedException();

    /// <summary>The shell has finished (or given up) streaming a snapshot up to <paramref name="index"/> to the member.</summary>
    public void ReportSnapshot(NodeId id, LogIndex index, bool delivered) => throw new NotImplementedException();

    /// <summary>Forgets entries up to and including the index in memory; never beyond applied.</summary>
    public void CompactLog(LogIndex upTo) => throw new NotImplementedException();

    public RaftStatus Status => throw new NotImplementedException();
}
