namespace Store.Raft.Tests;

/// <summary>Raft §5.3 to §5.4 on one member, with the other side of each conversation played by the test.</summary>
public sealed class SafetyTests
{
    static readonly NodeId One = new(1), Two = new(2), Three = new(3);

    /// <summary>
    /// §5.4.2, figure 8: an entry of an old term that stands on a majority is not committed by that, for another leader may still overwrite it. It is
    /// committed together with an entry of the leader's own term.
    /// </summary>
    [Fact]
    public void Entries_of_old_terms_are_not_committed_by_counting()
    {
        var node = Leading(term: 4, EntryAt(1, 1), EntryAt(2, 2));
        Assert.Equal(new LogIndex(3), node.Status.LastIndex);
        node.Step(new Message.AppendAccepted(Two, One, new(4), new(2)));
        Assert.Equal(LogIndex.Zero, node.Status.Commit);
        node.Step(new Message.AppendAccepted(Two, One, new(4), new(3)));
        Assert.Equal(new LogIndex(3), node.Status.Commit);
    }

    /// <summary>§5.3: an append whose previous entry does not fit is refused, and nothing of it is taken.</summary>
    [Theory]
    [InlineData(2, 2, true)]
    [InlineData(2, 1, false)]
    [InlineData(3, 2, false)]
    public void An_append_is_taken_only_behind_an_entry_that_both_have(ulong previousIndex, ulong previousTerm, bool taken)
    {
        var node = Following(EntryAt(1, 1), EntryAt(2, 2));
        node.Step(new Message.AppendEntries(Two, One, new(3), new(previousIndex), new(previousTerm), LogIndex.Zero, [EntryAt(previousIndex + 1, 3)]));
        Assert.Equal(taken ? 3UL : 2UL, node.Status.LastIndex.Value);
        Assert.Equal(!taken, Drain(node).OfType<Message.AppendRejected>().Any());
    }

    /// <summary>§5.3, figure 7: "conflicting entries in follower logs will be overwritten with entries from the leader's log"; the rest stays.</summary>
    [Theory]
    [InlineData(new ulong[] { 1, 1, 1 }, 1, new ulong[] { 1 }, new ulong[] { 1, 1, 1 })]
    [InlineData(new ulong[] { 1, 1, 1 }, 1, new ulong[] { 1, 2 }, new ulong[] { 1, 1, 2 })]
    [InlineData(new ulong[] { 1, 1, 2 }, 2, new ulong[] { 3 }, new ulong[] { 1, 1, 3 })]
    [InlineData(new ulong[] { 1 }, 1, new ulong[] { 1, 3 }, new ulong[] { 1, 1, 3 })]
    [InlineData(new ulong[] { 1, 2, 2, 2 }, 1, new ulong[] { 3 }, new ulong[] { 1, 3 })]
    public void Conflicting_entries_are_overwritten_and_others_are_kept(ulong[] has, ulong previous, ulong[] gets, ulong[] then)
    {
        var node = Following([.. has.Select((term, i) => EntryAt((ulong)i + 1, term))]);
        Entry[] entries = [.. gets.Select((term, i) => EntryAt(previous + (ulong)i + 1, term))];
        node.Step(new Message.AppendEntries(Two, One, new(3), new(previous), new(1), LogIndex.Zero, entries));
        Assert.Equal(then, Enumerable.Range(1, (int)node.Status.LastIndex.Value).Select(i => node.TermAt(new((ulong)i))!.Value.Value));
    }

    /// <summary>Figure 2, AppendEntries 5: commit no further than the last new entry: what stands behind it may be another leader's.</summary>
    [Fact]
    public void A_follower_commits_no_further_than_what_the_append_vouches_for()
    {
        var node = Following(EntryAt(1, 1), EntryAt(2, 2));
        node.Step(new Message.AppendEntries(Two, One, new(3), new(1), new(1), new(5), []));
        Assert.Equal(new LogIndex(1), node.Status.Commit);
    }

    /// <summary>Figure 3, leader append-only; also: two leaders in one term stop the process rather than go on.</summary>
    [Fact]
    public void A_second_leader_in_the_same_term_stops_the_process() =>
        Assert.Throws<InvariantException>(() => Leading(term: 4).Step(new Message.Heartbeat(Three, One, new(4), LogIndex.Zero, 0)));

    /// <summary>A follower whose disk lost what it had acknowledged must not go on as if nothing had happened.</summary>
    [Fact]
    public void A_lost_log_stops_the_process()
    {
        var e = Assert.Throws<InvariantException>(() => Following(EntryAt(1, 1)).Step(new Message.Heartbeat(Two, One, new(3), new(7), 0)));
        Assert.Contains("its log was lost or cut", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Figure 2: entries are on disk before they are acknowledged, and the own ones before they count.</summary>
    [Fact]
    public void Acknowledgements_wait_for_the_disk()
    {
        var node = Following();
        node.Step(new Message.AppendEntries(Two, One, new(3), LogIndex.Zero, Term.Zero, new(1), [EntryAt(1, 3)]));
        var ready = node.TakeReady();
        Assert.Empty(ready.Messages);
        Assert.Empty(ready.Committed);
        node.Persisted(ready.Persist!.Sequence);
        ready = node.TakeReady();
        Assert.Equal([new Message.AppendAccepted(One, Two, new(3), new(1))], ready.Messages);
        Assert.Equal([1UL], ready.Committed.Select(e => e.Index.Value));
    }

    /// <summary>A torn write must leave a log that covers the commit index beside it, so that index never runs ahead of earlier writes.</summary>
    [Fact]
    public void The_commit_index_on_disk_never_runs_ahead_of_the_entries()
    {
        var node = Following();
        node.Step(new Message.AppendEntries(Two, One, new(3), LogIndex.Zero, Term.Zero, new(1), [EntryAt(1, 3)]));
        Assert.Equal(LogIndex.Zero, node.TakeReady().Persist!.HardState?.Commit ?? LogIndex.Zero);
    }

    /// <summary>
    /// Dissertation §4.1: majorities meet between one configuration and the next, not the one after. The later change in the log tells that the earlier is
    /// committed, so that after a crash nobody stands in a configuration two changes back.
    /// </summary>
    [Fact]
    public void A_change_behind_another_proves_that_one_committed()
    {
        Entry[] log = [EntryAt(1, 1), ChangeAt(2, ConfigChangeKind.Remove), ChangeAt(3, ConfigChangeKind.Update), EntryAt(4, 1), ChangeAt(5, ConfigChangeKind.AddVoter), ChangeAt(6, ConfigChangeKind.Update)];
        Assert.Equal(new LogIndex(2), new RaftNode(new() { Id = One }, StartOf(1, log), new Random(1)).Status.Commit);
        Assert.Equal(LogIndex.Zero, new RaftNode(new() { Id = One }, StartOf(1, log[..4]), new Random(1)).Status.Commit);
    }

    static Entry ChangeAt(ulong index, ConfigChangeKind kind) => new(new(1), new(index), EntryKind.ConfigChange, new ConfigChange(kind, Three, default).Encode());

    static RaftNode Following(params Entry[] entries)
    {
        var node = new RaftNode(new() { Id = One }, StartOf(2, entries), new Random(1));
        node.Step(new Message.Heartbeat(Two, One, new(3), LogIndex.Zero, 0));
        Drain(node);
        return node;
    }

    static RaftNode Leading(ulong term, params Entry[] entries)
    {
        var node = new RaftNode(new() { Id = One }, StartOf(term - 1, entries), new Random(1));
        node.Campaign();
        node.Step(new Message.PreVoteReply(Two, One, new(term), true));
        Drain(node);
        node.Step(new Message.VoteReply(Two, One, new(term), true));
        Drain(node);
        Assert.Equal(RaftRole.Leader, node.Status.Role);
        return node;
    }

    static List<Message> Drain(RaftNode node)
    {
        var messages = new List<Message>();
        while (node.HasReady)
        {
            var ready = node.TakeReady();
            messages.AddRange(ready.Messages);
            if (ready.Persist is { } persist) node.Persisted(persist.Sequence);
        }
        return messages;
    }

    static Entry EntryAt(ulong index, ulong term) => new(new(term), new(index), EntryKind.Normal, new byte[] { 1 });

    static RaftStart StartOf(ulong term, Entry[] entries) =>
        new(new(new(term), default, default), new(LogIndex.Zero, Term.Zero, MembershipConfig.Of(One, Two, Three)), entries, LogIndex.Zero);
}
