namespace Store.Raft;

/// <summary>The follower's side of replication: what a leader sends is taken into the log, and how far it is committed.</summary>
public sealed partial class RaftNode
{
    internal RaftLog Log { get; }

    /// <summary>The configuration with which the cluster began, while the log still reaches back to its beginning; else empty.</summary>
    internal MembershipConfig InitialConfig { get; private set; }

    internal LogIndex Commit { get; private set; }

    internal LogIndex AppliedIndex { get; private set; }

    /// <summary>A snapshot was taken in and the state machine is not replaced by it yet.</summary>
    bool RestorePending => AppliedIndex < Log.StartIndex;

    internal void CommitTo(LogIndex index)
    {
        Invariant.Require(index <= Log.LastIndex, "the leader knows entries of this member that it does not have: its log was lost or cut");
        Commit = LogIndex.Max(Commit, index);
    }

    internal void TakeAppend(Message.AppendEntries append)
    {
        if (append.PreviousIndex < Commit)
        {
            // An old or repeated message; what is committed agrees in any case.
            SendWhenDurable(new Message.AppendAccepted(Id, append.From, Term, Commit));
            return;
        }
        if (Log.TermAt(append.PreviousIndex) != append.PreviousTerm)
        {
            var (hintIndex, hintTerm) = Log.LastNotAfter(append.PreviousIndex, append.PreviousTerm);
            Send(new Message.AppendRejected(Id, append.From, Term, append.PreviousIndex, hintIndex, hintTerm));
            return;
        }
        TakeEntries(append.Entries);
        var last = append.PreviousIndex + (ulong)append.Entries.Count;
        CommitTo(LogIndex.Min(append.Commit, last));
        SendWhenDurable(new Message.AppendAccepted(Id, append.From, Term, last));
    }

    internal void TakeHeartbeat(Message.Heartbeat heartbeat)
    {
        CommitTo(heartbeat.Commit);
        // Not held back: it says only that nobody else was elected with this member's vote up to now, which is true of memory as well.
        Send(new Message.HeartbeatReply(Id, heartbeat.From, Term, heartbeat.ReadContext));
    }

    /// <summary>
    /// What is committed stays true in every term and whoever says it, so a snapshot whose stream took longer than its sender's leadership is not
    /// lost. For the same reason its arrival is no sign of a leader.
    /// </summary>
    void TakeSnapshot(Message.InstallSnapshot install)
    {
        if (role.Kind == RaftRole.Leader && install.Term <= Term) return;
        if (install.Term > Term || role.Kind != RaftRole.Follower) BecomeFollower(Term.Max(install.Term, Term), NodeId.None);
        var snapshot = install.Snapshot;
        if (snapshot.Index > Commit)
        {
            // The log may hold all of it already: then there is nothing to replace, only to commit.
            if (Log.TermAt(snapshot.Index) == snapshot.Term) CommitTo(snapshot.Index);
            else Restore(snapshot);
        }
        SendWhenDurable(new Message.AppendAccepted(Id, install.From, Term, Commit));
    }

    /// <summary>
    /// The state machine is to be replaced by the snapshot even where the log holds everything in it: what this member made of its entries has proved wrong. The log stays
    /// where it reaches the snapshot. Comes out as <see cref="Ready.Restore"/>, but not at a leader, and not for a snapshot behind what is applied.
    /// </summary>
    public void ReplaceState(Message.InstallSnapshot install)
    {
        var snapshot = install.Snapshot;
        if (role.Kind == RaftRole.Leader || snapshot.Index < AppliedIndex) return;
        if (snapshot.Index > Commit) TakeSnapshot(install);
        if (snapshot.Index > Commit || restore is not null) return;
        if (role.Kind != RaftRole.Follower) BecomeFollower(Term, NodeId.None);
        (handedOut, restore, Config) = (LogIndex.Max(handedOut, snapshot.Index), snapshot, snapshot.Config);
    }

    void TakeEntries(IReadOnlyList<Entry> entries)
    {
        var conflict = Log.FindConflict(entries);
        if (conflict == entries.Count) return;
        var first = entries[conflict].Index;
        if (first <= Log.LastIndex)
        {
            Invariant.Require(first > Commit, "committed entries are never overwritten");
            Log.Truncate(first);
            Disk.Overwritten(first);
        }
        Log.Append(entries, conflict);
    }

    void Restore(SnapshotMetadata snapshot)
    {
        Log.Restart(snapshot);
        Disk.Restarted(snapshot);
        (Commit, handedOut, restore) = (snapshot.Index, snapshot.Index, snapshot);
        InitialConfig = MembershipConfig.Empty;
        Config = snapshot.Config;
    }
}
