using Store.Raft;

namespace Store.Storage;

/// <summary>What the core starts with, and what the log must be told before that (null: nothing).</summary>
public sealed record BootDecision(RaftStart Start, PersistRequest? Repair);

/// <summary>
/// How log and state fit together after a crash at any point. Both move on their own: the state becomes durable by flushes, some time after the log; the
/// log is cut only up to what the state had flushed; a received snapshot is made durable as a folder first, then the log restarts behind it and the
/// state is exchanged, in any order.
/// <code>
/// a = the state's applied index, s = where the log starts, l = where it ends, i = the snapshot the state came from (0: none)
///
///   a in [s, l], same term at a     the ordinary case: the state is behind the log by what was not flushed: apply the log from a + 1
///   a in [s, l], other term at a    a = i: the snapshot was installed, the log still has what the snapshot overrode: restart the log behind a
///                                   else: refused, log and state are of different histories
///   a > l                           i > l: the snapshot was installed, the log had not restarted yet: restart it behind a
///                                   else: refused, the log has lost its end (the state only ever holds what was synced to the log)
///   a &lt; s                           a complete received snapshot for s exists: it is put in use before the state is opened, then a = s
///                                   else: refused, entries between state and log are gone
/// </code>
/// The order of a snapshot install, and what a crash after each step leads to:
/// 1. the folder is complete and synced: nobody knows of it, it is removed on start;
/// 2. the log restarted behind it: start puts the folder in use;
/// 3. the folder is in use: a = s. With 2 and 3 exchanged: a > l, or another term at a.
/// </summary>
public static class BootRule
{
    /// <param name="config">The state machine's config as of <paramref name="applied"/>.</param>
    public static BootDecision Decide(
        WalContent log, LogIndex applied, Term appliedTerm, MembershipConfig config, InstalledSnapshot? installed)
    {
        var start = log.Start;
        var end = log.Entries is [.., var last] ? last.Index : start.Index;
        if (applied < start.Index)
            throw Refused($"the log begins behind entry {start.Index}, but the state holds only entries up to {applied}: those between are lost");
        if (applied > end)
        {
            if (installed is not { } point || point.Index <= end)
                throw Refused($"the log ends with entry {end}, but the state holds entry {applied}: the log has lost its end, and with it promises of this member");
            return RestartBehind(applied, appliedTerm, config, log.HardState);
        }
        if (TermAt(log, applied) != appliedTerm)
        {
            if (installed?.Index != applied) throw Refused($"the state is of term {appliedTerm} at entry {applied}, the log of term {TermAt(log, applied)}");
            return RestartBehind(applied, appliedTerm, config, log.HardState);
        }
        // The state knows which changes of membership it refused; the log alone does not.
        return new(new(log.HardState, start, log.Entries, applied, applied == LogIndex.Zero ? null : config), null);
    }

    static BootDecision RestartBehind(LogIndex index, Term term, MembershipConfig config, HardState state)
    {
        var point = new SnapshotMetadata(index, term, config);
        // The snapshot's term was never voted in here if the log does not know it: a vote would have been synced before it was sent.
        var raised = state.Term < term ? new HardState(term, NodeId.None, index) : state with { Commit = index };
        return new(new(raised, point, [], index), new(0, raised, [], point));
    }

    static Term TermAt(WalContent log, LogIndex index) =>
        index == log.Start.Index ? log.Start.Term : log.Entries[(int)(index.Value - log.Start.Index.Value - 1)].Term;

    static StorageException Refused(string what) => new(
        $"log and state of this member do not fit: {what}; remove the member from its cluster, empty its data directory and add it again, or restore a backup");
}
