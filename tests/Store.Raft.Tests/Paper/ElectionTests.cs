namespace Store.Raft.Tests;

/// <summary>Raft §5.1, §5.2, §5.4.1, and the dissertation's additions to elections (§4.2.3, §9.6).</summary>
public sealed class ElectionTests
{
    static readonly NodeId One = new(1), Two = new(2), Three = new(3);

    /// <summary>§5.1: "If one server's current term is smaller than the other's, then it updates its current term to the larger value."</summary>
    [Theory]
    [InlineData(RaftRole.Follower)]
    [InlineData(RaftRole.Candidate)]
    [InlineData(RaftRole.Leader)]
    public void Whoever_hears_of_a_later_term_takes_it_over_and_follows(RaftRole role)
    {
        var member = MemberIn(role);
        member.Node.Step(new Message.HeartbeatReply(Two, One, new(9), 0));
        Assert.Equal((RaftRole.Follower, new Term(9)), (member.Node.Status.Role, member.Node.Status.Term));
    }

    /// <summary>§5.1: "If a server receives a request with a stale term number, it rejects the request."</summary>
    [Fact]
    public void A_request_of_an_old_term_changes_nothing_and_is_told_the_present_one()
    {
        var member = Alone(term: 5);
        member.Node.Step(new Message.AppendEntries(Two, One, new(4), LogIndex.Zero, Term.Zero, LogIndex.Zero, [EntryAt(1, 4)]));
        var ready = member.Turn();
        Assert.Null(ready.Persist);
        Assert.Equal([new Message.HeartbeatReply(One, Two, new(5), 0)], ready.Messages);
    }

    /// <summary>§5.2: "election timeouts are chosen randomly from a fixed interval".</summary>
    [Fact]
    public void Election_timeouts_are_spread_over_the_whole_interval()
    {
        var seen = new SortedSet<int>();
        for (var seed = 0; seed < 300; seed++)
        {
            var node = new RaftNode(new() { Id = One }, StartOf(3, default), new Random(seed));
            var ticks = 0;
            while (node.Status.Role == RaftRole.Follower)
            {
                node.Tick();
                ticks++;
            }
            seen.Add(ticks);
        }
        Assert.Equal(Enumerable.Range(10, 10), seen);
    }

    /// <summary>§5.2: a candidate wins with the votes of a majority of the full cluster, loses with a majority against it, and else goes on.</summary>
    [Theory]
    [InlineData(1, "", RaftRole.Leader)]
    [InlineData(3, "y", RaftRole.Leader)]
    [InlineData(3, "n", RaftRole.Candidate)]
    [InlineData(3, "nn", RaftRole.Follower)]
    [InlineData(5, "yy", RaftRole.Leader)]
    [InlineData(5, "yn", RaftRole.Candidate)]
    [InlineData(5, "nny", RaftRole.Candidate)]
    [InlineData(5, "nnn", RaftRole.Follower)]
    public void A_candidate_wins_with_a_majority(int voters, string votes, RaftRole becomes)
    {
        var member = new TestCluster(voters)[1];
        member.Node.Campaign();
        for (var i = 2; i <= Quorum.Size(voters); i++) member.Node.Step(new Message.PreVoteReply(new((ulong)i), One, new(1), true));
        Run(member);
        for (var i = 0; i < votes.Length; i++) member.Node.Step(new Message.VoteReply(new((ulong)i + 2), One, new(1), votes[i] == 'y'));
        Assert.Equal(becomes, member.Node.Status.Role);
    }

    /// <summary>A voter that answers twice has one vote.</summary>
    [Fact]
    public void Repeated_votes_count_once()
    {
        var member = new TestCluster(5)[1];
        Stand(member, voters: 5);
        for (var i = 0; i < 5; i++) member.Node.Step(new Message.VoteReply(Two, One, new(1), true));
        Assert.Equal(RaftRole.Candidate, member.Node.Status.Role);
    }

    /// <summary>§5.2: "Each server will vote for at most one candidate in a given term, on a first-come-first-served basis", also across a crash.</summary>
    [Fact]
    public void One_vote_a_term_is_given_even_across_a_crash()
    {
        var member = new TestCluster(3)[1];
        Assert.True(Vote(member, Two, term: 3));
        Assert.False(Vote(member, Three, term: 3));
        member.Restart(new Random(1));
        Assert.False(Vote(member, Three, term: 3));
        Assert.True(Vote(member, Two, term: 3));
        Assert.True(Vote(member, Three, term: 4));
    }

    /// <summary>Figure 2: the vote is on disk before the answer leaves; a vote in a term that is on disk already included.</summary>
    [Fact]
    public void A_vote_waits_for_the_disk()
    {
        var member = Alone(term: 3);
        member.Node.Step(new Message.RequestVote(Two, One, new(3), LogIndex.Zero, Term.Zero, false));
        var ready = member.Turn();
        Assert.Empty(ready.Messages);
        Assert.Equal(new HardState(new(3), Two, LogIndex.Zero), ready.Persist!.HardState);
        member.Sync();
        Assert.Equal([new Message.VoteReply(One, Two, new(3), true)], member.Turn().Messages);
    }

    /// <summary>§5.4.1: the voter denies its vote if its own log is more up-to-date than that of the candidate.</summary>
    [Theory]
    [InlineData(2, 2, true)]
    [InlineData(1, 3, true)]
    [InlineData(3, 2, true)]
    [InlineData(1, 2, false)]
    [InlineData(9, 1, false)]
    public void Votes_go_only_to_logs_that_are_not_behind(ulong lastIndex, ulong lastTerm, bool granted)
    {
        var node = new RaftNode(new() { Id = One }, StartOf(3, new(new(3), default, default), EntryAt(1, 1), EntryAt(2, 2)), new Random(1));
        node.Step(new Message.RequestVote(Two, One, new(4), new(lastIndex), new(lastTerm), false));
        node.Persisted(node.TakeReady().Persist!.Sequence);
        if (node.HasReady) Assert.Equal([new Message.VoteReply(One, Two, new(4), granted)], node.TakeReady().Messages);
        Assert.Equal(granted ? Two : default, node.VotedFor);
    }

    /// <summary>§4.2.3 of the dissertation: a server that hears a leader grants no votes, unless the leader hands over (§3.10).</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 7)]
    public void Who_hears_a_leader_votes_only_when_that_leader_hands_over(bool transfer, ulong term)
    {
        var member = Alone(term: 1);
        member.Node.Step(new Message.Heartbeat(Two, One, new(1), LogIndex.Zero, 0));
        member.Node.Step(new Message.RequestVote(Three, One, new(7), new(9), new(6), transfer));
        Assert.Equal(new Term(term), member.Node.Status.Term);
    }

    /// <summary>§9.6 of the dissertation: a pre-vote raises nobody's term and promises nothing.</summary>
    [Fact]
    public void A_pre_vote_raises_no_term_and_needs_no_disk()
    {
        var member = Alone(term: 1);
        member.Node.Step(new Message.PreVote(Two, One, new(2), LogIndex.Zero, Term.Zero));
        member.Node.Step(new Message.PreVote(Three, One, new(2), LogIndex.Zero, Term.Zero));
        var ready = member.Turn();
        Assert.Null(ready.Persist);
        Assert.Equal([new Message.PreVoteReply(One, Two, new(2), true), new Message.PreVoteReply(One, Three, new(2), true)], ready.Messages);
        Assert.Equal(new Term(1), member.Node.Status.Term);
    }

    /// <summary>Membership counts from apply: standing with a committed but unapplied change would count votes in a configuration that others have left.</summary>
    [Fact]
    public void A_member_with_an_unapplied_change_of_membership_does_not_stand()
    {
        var change = new Entry(new(1), new(1), EntryKind.ConfigChange, new ConfigChange(ConfigChangeKind.Remove, Three, default).Encode());
        var node = new RaftNode(new() { Id = One }, StartOf(3, new(new(1), default, new(1)), change), new Random(1));
        node.Campaign();
        Assert.Equal(RaftRole.Follower, node.Status.Role);
        foreach (var entry in node.TakeReady().Committed) node.ApplyConfigChange(ConfigChange.Decode(entry.Data));
        node.Applied(new(1));
        node.Campaign();
        Assert.Equal(RaftRole.PreCandidate, node.Status.Role);
    }

    static bool Vote(TestMember member, NodeId candidate, ulong term)
    {
        member.Node.Step(new Message.RequestVote(candidate, member.Id, new(term), LogIndex.Zero, Term.Zero, false));
        return Run(member).OfType<Message.VoteReply>().Single().Granted;
    }

    static List<Message> Run(TestMember member)
    {
        var messages = new List<Message>();
        while (member.Node.HasReady)
        {
            messages.AddRange(member.Turn().Messages);
            member.Sync();
        }
        return messages;
    }

    static void Stand(TestMember member, int voters)
    {
        member.Node.Campaign();
        for (var i = 2; i <= Quorum.Size(voters); i++) member.Node.Step(new Message.PreVoteReply(new((ulong)i), One, member.Node.Status.Term.Next, true));
        Run(member);
    }

    static TestMember MemberIn(RaftRole role)
    {
        var member = new TestCluster(3)[1];
        if (role == RaftRole.Follower) return member;
        Stand(member, voters: 3);
        if (role == RaftRole.Leader) member.Node.Step(new Message.VoteReply(Two, One, new(1), true));
        Assert.Equal(role, member.Node.Status.Role);
        return member;
    }

    static TestMember Alone(ulong term)
    {
        var member = new TestCluster(3)[1];
        member.Node.Step(new Message.HeartbeatReply(Two, One, new(term), 0));
        Run(member);
        return member;
    }

    static Entry EntryAt(ulong index, ulong term) => new(new(term), new(index), EntryKind.Normal, new byte[] { 1 });

    static RaftStart StartOf(int voters, HardState hardState, params Entry[] entries) =>
        new(hardState, new(LogIndex.Zero, Term.Zero, MembershipConfig.Of(Enumerable.Range(1, voters).Select(i => new NodeId((ulong)i)))), entries, LogIndex.Zero);
}
