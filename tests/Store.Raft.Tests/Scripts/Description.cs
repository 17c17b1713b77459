using System.Text;

namespace Store.Raft.Tests;

/// <summary>How messages and intentions read in the scripts. An entry is written index@term.</summary>
static class Description
{
    public static string Of(Message message) => $"{message.From}->{message.To} t{message.Term} " + message switch
    {
        Message.PreVote m => $"pre-vote? log {m.LastIndex}@{m.LastTerm}",
        Message.PreVoteReply m => m.Granted ? "pre-vote granted" : "pre-vote refused",
        Message.RequestVote m => $"vote? log {m.LastIndex}@{m.LastTerm}{(m.Transfer ? " by transfer" : "")}",
        Message.VoteReply m => m.Granted ? "vote granted" : "vote refused",
        Message.AppendEntries m => $"append after {m.PreviousIndex}@{m.PreviousTerm} commit {m.Commit}{Of(m.Entries)}",
        Message.AppendAccepted m => $"accepted through {m.Match}",
        Message.AppendRejected m => $"rejected after {m.Rejected}, hint {m.HintIndex}@{m.HintTerm}",
        Message.Heartbeat m => $"heartbeat commit {m.Commit}{(m.ReadContext > 0 ? $" round {m.ReadContext}" : "")}",
        Message.HeartbeatReply m => $"heartbeat heard{(m.ReadContext > 0 ? $" round {m.ReadContext}" : "")}",
        Message.InstallSnapshot m => $"snapshot {m.Snapshot.Index}@{m.Snapshot.Term}, {m.Snapshot.Config}",
        Message.TimeoutNow => "stand now",
        Message.Propose m => $"please propose {string.Join(", ", m.Entries.Select(Of))}",
        Message.ReadIndexRequest m => $"read index? #{m.Context}",
        Message.ReadIndexReply m => $"read index #{m.Context} is {m.Index}",
        Message.TransferLeader m => $"please hand over to {m.Target}",
        _ => throw new ArgumentException($"no words for {message}", nameof(message)),
    };

    public static IEnumerable<string> Of(NodeId id, Ready ready)
    {
        if (ready.Persist is { } write)
        {
            var state = write.HardState is { } h ? $" term {h.Term} vote {h.VotedFor} commit {h.Commit}" : "";
            var snapshot = write.Snapshot is { } s ? $" behind snapshot {s.Index}@{s.Term}" : "";
            yield return $"{id} writes #{write.Sequence}{state}{snapshot}{Of(write.Entries)}";
        }
        if (ready.Restore is { } restore) yield return $"{id} restores {restore.Index}@{restore.Term}, {restore.Config}";
        foreach (var entry in ready.Committed) yield return $"{id} applies {Of(entry)}";
        foreach (var read in ready.Reads) yield return $"{id} may read #{read.Context} at {read.Index}";
        foreach (var member in ready.SnapshotsNeeded) yield return $"{id} wants a snapshot streamed to {member}";
    }

    public static string Of(Entry entry) => $"{entry.Index}@{entry.Term} {Of(new ProposedEntry(entry.Kind, entry.Data))}";

    static string Of(IReadOnlyList<Entry> entries) => entries.Count == 0 ? "" : ": " + string.Join(", ", entries.Select(Of));

    static string Of(ProposedEntry entry)
    {
        if (entry.Kind == EntryKind.ConfigChange) return $"{ConfigChange.Decode(entry.Data).Kind} {ConfigChange.Decode(entry.Data).Node}";
        return entry.Data.IsEmpty ? "(opening)" : Encoding.UTF8.GetString(entry.Data.Span);
    }
}
