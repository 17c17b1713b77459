namespace Store.Raft.Tests;

/// <summary>What Raft promises (figure 3), checked from outside while a cluster runs: tell it of every turn, ask it after every step.</summary>
sealed class ClusterChecker(TestCluster cluster)
{
    readonly Dictionary<Term, NodeId> leaders = [];
    readonly Dictionary<(LogIndex, Term), (Term PreviousTerm, Entry Entry)> appended = [];
    readonly List<Entry> committed = [];
    readonly Dictionary<ulong, LogIndex> reads = [];
    ulong nextRead;

    public int CommittedCount => committed.Count;

    /// <summary>Asks for a read that must see all that anybody has applied up to now.</summary>
    public void Read(TestMember member)
    {
        reads[++nextRead] = new((ulong)committed.Count);
        member.Node.ReadIndex(nextRead);
    }

    public void Turned(TestMember member, Ready ready)
    {
        if (ready.Persist is { } persist) LogMatching(member, persist);
        foreach (var entry in ready.Committed) StateMachineSafety(member, entry);
        Check(ready.Committed.Count == 0 || ready.Committed[^1].Index <= member.Disk.LastIndex, $"{member.Id} applies what is not on its disk");
        foreach (var read in ready.Reads) Check(read.Index >= reads[read.Context], $"read {read} at {member.Id} is stale: {reads[read.Context]} was applied before");
        Leaders();
    }

    /// <summary>Nothing leaves a member that its disk would not bear out after a crash in the next moment.</summary>
    public void Sent(Message message)
    {
        var disk = cluster.Members[message.From].Disk;
        // A later term on disk may have cut what this message of an earlier one rightly said.
        if (disk.HardState.Term > message.Term) return;
        var durable = message switch
        {
            Message.AppendAccepted accepted => disk.HardState.Term == accepted.Term && disk.LastIndex >= accepted.Match,
            Message.VoteReply { Granted: true } reply => disk.HardState.Term == reply.Term && disk.HardState.VotedFor == reply.To,
            Message.RequestVote request => disk.HardState.Term == request.Term && disk.HardState.VotedFor == request.From,
            _ => true,
        };
        Check(durable, $"{message} is sent, but the disk has {disk.HardState} and entries through {disk.LastIndex}");
    }

    /// <summary>Election safety and leader completeness.</summary>
    public void Leaders()
    {
        foreach (var member in cluster.Members.Values)
        {
            var status = member.Node.Status;
            if (status.Role != RaftRole.Leader) continue;
            if (leaders.TryAdd(status.Term, status.Id)) LeaderCompleteness(member);
            Check(leaders[status.Term] == status.Id, $"two leaders in term {status.Term}: {leaders[status.Term]} and {status.Id}");
        }
    }

    /// <summary>All members of the newest configuration have applied the same.</summary>
    public void Converged()
    {
        var leader = cluster.Leader!;
        foreach (var id in leader.Node.Status.Config.Voters.Union(leader.Node.Status.Config.Learners))
        {
            var member = cluster.Members[id];
            Check(member.AppliedIndex == leader.AppliedIndex, $"{id} has applied {member.AppliedIndex}, the leader {leader.AppliedIndex}");
            Check(member.Applied.SequenceEqual(committed), $"{id} has applied something else");
            Check(member.Node.Status.Config.Equals(leader.Node.Status.Config), $"{id} has another configuration");
        }
    }

    /// <summary>An index and a term name one entry, and with it everything before it.</summary>
    void LogMatching(TestMember member, PersistRequest persist)
    {
        foreach (var entry in persist.Entries)
        {
            var previous = member.Node.TermAt(entry.Index - 1)!.Value;
            if (appended.TryAdd((entry.Index, entry.Term), (previous, entry))) continue;
            var (seenPrevious, seen) = appended[(entry.Index, entry.Term)];
            Check(seenPrevious == previous && seen == entry, $"{member.Id} has another entry {entry.Index} of term {entry.Term} than others");
        }
    }

    void StateMachineSafety(TestMember member, Entry entry)
    {
        var index = (int)entry.Index.Value;
        if (index == committed.Count + 1)
        {
            committed.Add(entry);
            foreach (var leader in cluster.Members.Values.Where(m => m.Node.Status is { Role: RaftRole.Leader } s && s.Term >= member.Node.Status.Term)) Has(leader, entry);
        }
        Check(index <= committed.Count && committed[index - 1] == entry, $"{member.Id} applies another entry {entry.Index} than others did");
    }

    void LeaderCompleteness(TestMember leader)
    {
        foreach (var entry in committed) Has(leader, entry);
    }

    static void Has(TestMember leader, Entry entry)
    {
        if (entry.Index < leader.Node.Status.FirstIndex) return;
        Check(leader.Node.TermAt(entry.Index) == entry.Term, $"the leader {leader.Id} lacks the committed entry {entry.Index} of term {entry.Term}");
    }

    static void Check(bool holds, string otherwise)
    {
        if (!holds) throw new InvariantException(otherwise);
    }
}
