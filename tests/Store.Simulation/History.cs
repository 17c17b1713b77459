using Store.Protocol.Etcdserverpb;
using Store.Protocol.Mvccpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Simulation;

/// <summary>One request of a client, from asking to answer.</summary>
sealed record Operation(ulong Id, long Asked, Command? Command, RangeRequest? Range)
{
    /// <summary>When the answer came; null while its fate is unknown.</summary>
    public long? Answered { get; set; }

    public Reply Reply { get; set; }

    public RangeResult? Read { get; set; }

    /// <summary>The state that a read saw stood for the log up to here.</summary>
    public LogIndex ReadAt { get; set; }

    public Action? Finished { get; set; }
}

/// <summary>
/// What clients asked and were told. It is linearizable when the order of the committed log explains it: each answer is what the model says at the
/// request's place in the log, and of two requests of which one ended before the other began, the first has the earlier place.
/// </summary>
sealed class History
{
    readonly List<Operation> operations = [];
    readonly Dictionary<ulong, Operation> open = [];
    ulong lastId;

    public int Acknowledged => operations.Count(operation => operation.Answered is not null && operation.Command is not null);

    public int Reads => operations.Count(operation => operation.Read is not null);

    public ulong NewRequestId() => ++lastId;

    public Operation Ask(long step, Command command)
    {
        command.RequestId = NewRequestId();
        return Open(new(command.RequestId, step, command, null));
    }

    public Operation Ask(long step, RangeRequest range) => Open(new(NewRequestId(), step, null, range));

    Operation Open(Operation operation)
    {
        operations.Add(operation);
        open.Add(operation.Id, operation);
        return operation;
    }

    /// <summary>The client waits no longer; an answer that still comes is not heard.</summary>
    public void GiveUp(Operation operation) => open.Remove(operation.Id);

    public void Answered(long step, SimMember member, Reply reply)
    {
        if (!open.Remove(reply.RequestId, out var operation)) return;
        operation.Reply = reply;
        // An error without a result leaves open what became of the request.
        if (reply.Result is not null) operation.Answered = step;
        operation.Finished?.Invoke();
    }

    public void ReadReady(long step, SimMember member, ReadReply read)
    {
        if (!open.Remove(read.ReadId, out var operation)) return;
        if (read.Error == StoreError.None) Read(step, member, operation);
        operation.Finished?.Invoke();
    }

    /// <summary>The read is answered from what the member has now.</summary>
    public void Read(long step, SimMember member, Operation operation)
    {
        open.Remove(operation.Id);
        var view = member.Replica.State.View;
        (operation.Answered, operation.Read, operation.ReadAt) = (step, view.Range(operation.Range!), view.Applied);
    }

    public void Check(CommittedLog log)
    {
        foreach (var operation in operations)
        {
            if (operation.Command is not null) CheckWrite(operation, log);
            else if (operation.Read is not null) CheckRead(operation, log.Model);
        }
        CheckOrder(log);
    }

    static void CheckWrite(Operation operation, CommittedLog log)
    {
        if (operation.Answered is null) return;
        var expected = log.Model.Result(operation.Id)
            ?? throw new SimulationFailureException($"request {operation.Id} was acknowledged and is not in the log: {operation.Command}");
        var result = operation.Reply.Result!;
        if (result.Error != expected.Error || (expected.Error == StoreError.None && (result.Revision.Value != expected.Revision || !expected.Response!.Equals(result.Response))))
        {
            throw new SimulationFailureException($"request {operation.Id} {operation.Command} was answered {result.Error} {result.Revision} {result.Response}; the model says {expected.Error} {expected.Revision} {expected.Response}");
        }
    }

    static void CheckRead(Operation operation, ModelStore model)
    {
        var read = operation.Read!;
        var key = operation.Range!.Key.ToStringUtf8();
        var expected = model.At(read.Revision.Value).GetValueOrDefault(key);
        var seen = read.KeyValues.Select(row => KeyValue.Parser.ParseFrom(row.Span)).SingleOrDefault();
        if (!Equals(expected, seen)) throw new SimulationFailureException($"a read of {key} at revision {read.Revision} saw {seen}; the model says {expected}");
    }

    /// <summary>Sweeps through time: whoever asks now must come behind everybody who has been answered already.</summary>
    void CheckOrder(CommittedLog log)
    {
        var moments = new List<(long Step, bool Ends, Operation Operation)>();
        foreach (var operation in operations)
        {
            moments.Add((operation.Asked, false, operation));
            if (operation.Answered is { } answered) moments.Add((answered, true, operation));
        }
        moments.Sort((a, b) => a.Step != b.Step ? a.Step.CompareTo(b.Step) : a.Ends.CompareTo(b.Ends));
        var newest = LogIndex.Zero;
        foreach (var (_, ends, operation) in moments)
        {
            var place = operation.Command is null ? operation.ReadAt : log.IndexOf(operation.Id) ?? LogIndex.Zero;
            if (ends) newest = LogIndex.Max(newest, place);
            else if (place != LogIndex.Zero && (operation.Command is null ? place < newest : place <= newest))
            {
                throw new SimulationFailureException($"request {operation.Id} {(object?)operation.Command ?? operation.Range} took effect at {place}, though {newest} was answered before it was asked");
            }
        }
    }
}
