using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.Simulation;

/// <summary>
/// The one log that all members must agree on, collected as they apply it: what is applied at an index once is applied there by everybody
/// (state machine safety, Raft §5.4.3). It is the witness that histories are checked against.
/// </summary>
sealed class CommittedLog
{
    readonly Dictionary<LogIndex, Entry> ahead = [];
    readonly List<Entry> entries = [];
    readonly Dictionary<ulong, LogIndex> requests = [];

    /// <summary>What a naive store makes of the log.</summary>
    public ModelStore Model { get; } = new();

    public LogIndex Last => new((ulong)entries.Count);

    public int Count => entries.Count;

    public bool Contains(ulong requestId) => requests.ContainsKey(requestId);

    public LogIndex? IndexOf(ulong requestId) => requests.TryGetValue(requestId, out var index) ? index : null;

    public void Applied(NodeId member, Entry entry)
    {
        var known = entry.Index <= Last ? entries[(int)entry.Index.Value - 1] : ahead.GetValueOrDefault(entry.Index);
        if (known is null)
        {
            ahead[entry.Index] = entry;
            while (ahead.Remove(Last.Next, out var next)) Append(next);
        }
        else if (known.Term != entry.Term || known.Kind != entry.Kind || !known.Data.Span.SequenceEqual(entry.Data.Span))
        {
            throw new SimulationFailureException($"{member} applied another entry {entry.Index} (term {entry.Term}) than others did (term {known.Term})");
        }
    }

    void Append(Entry entry)
    {
        entries.Add(entry);
        if (entry.Kind == EntryKind.ConfigChange)
        {
            Model.Change(entry);
            return;
        }
        if (entry.Data.IsEmpty) return;
        var command = Command.Parser.ParseFrom(entry.Data.Span);
        if (command.RequestId != 0 && !requests.TryAdd(command.RequestId, entry.Index))
        {
            throw new SimulationFailureException($"request {command.RequestId} stands in the log twice, at {requests[command.RequestId]} and {entry.Index}");
        }
        Model.Apply(entry.Index, command);
    }
}
