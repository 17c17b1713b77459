using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>
/// What waits for the loop's next turn. Many threads put in, the loop takes everything at once: one lock each way, one wake-up for whatever arrives while the
/// loop works. Requests of clients are bounded; what the replica itself needs to go on (messages, acknowledgements of the disk) always fits,
/// because Raft bounds it.
/// </summary>
sealed class LoopInbox(int requestsMax)
{
    readonly object gate = new();
    Batch filling = new();
    Batch spare = new();
    bool waiting;
    bool readsHeld;
    bool stopped;

    /// <summary>False: too many requests wait already, or the loop has ended.</summary>
    public bool TryPropose(ulong requestId, ReadOnlyMemory<byte> command, TaskCompletionSource<Reply> answer)
    {
        lock (gate)
        {
            if (stopped || filling.Proposals.Count >= requestsMax) return false;
            filling.Proposals.Add((requestId, command, answer));
            Wake();
            return true;
        }
    }

    /// <summary>Joins the reads that the next turn asks for together.</summary>
    public Task<StoreError> Read()
    {
        lock (gate)
        {
            if (stopped) return Task.FromResult(StoreError.Stopped);
            if (filling.Read is null)
            {
                filling.Read = new(TaskCreationOptions.RunContinuationsAsynchronously);
                if (!readsHeld) Wake();
            }
            return filling.Read.Task;
        }
    }

    public void Renew(LeaseId id, TaskCompletionSource<LeaseRenewal> answer)
    {
        lock (gate)
        {
            if (stopped)
            {
                answer.SetResult(new(StoreError.Stopped, 0));
                return;
            }
            filling.Renewals.Add((id, answer));
            Wake();
        }
    }

    public void Receive(IReadOnlyList<Message> messages)
    {
        lock (gate)
        {
            filling.Messages.AddRange(messages);
            Wake();
        }
    }

    public void Persisted(ulong sequence)
    {
        lock (gate)
        {
            filling.PersistedSequence = sequence;
            Wake();
        }
    }

    /// <summary>Runs on the loop's thread. Whatever must not get lost when the loop has ended checks the answer.</summary>
    public bool Post(Action<Replica> action)
    {
        lock (gate)
        {
            if (stopped) return false;
            filling.Actions.Add(action);
            Wake();
            return true;
        }
    }

    /// <summary>Everything that has arrived, waiting for something up to the time given. The batch is good until the next call.</summary>
    /// <param name="wait">How long at most.</param>
    /// <param name="holdsReads">A read alone is no reason to end the wait: it comes along with whatever does.</param>
    public Batch Take(TimeSpan wait, bool holdsReads)
    {
        lock (gate)
        {
            readsHeld = holdsReads;
            if ((holdsReads ? filling.IsEmptyButForReads : filling.IsEmpty) && wait > TimeSpan.Zero)
            {
                waiting = true;
                Monitor.Wait(gate, wait);
                waiting = false;
            }
            spare.Clear();
            (filling, spare) = (spare, filling);
            return spare;
        }
    }

    /// <summary>From here on nothing is taken in; what was is handed out once more.</summary>
    public Batch Stop()
    {
        lock (gate)
        {
            stopped = true;
            return filling;
        }
    }

    void Wake()
    {
        if (!waiting) return;
        waiting = false;
        Monitor.Pulse(gate);
    }

    internal sealed class Batch
    {
        public List<(ulong RequestId, ReadOnlyMemory<byte> Command, TaskCompletionSource<Reply> Answer)> Proposals { get; } = [];
        public List<(LeaseId Id, TaskCompletionSource<LeaseRenewal> Answer)> Renewals { get; } = [];
        public List<Message> Messages { get; } = [];
        public List<Action<Replica>> Actions { get; } = [];
        public TaskCompletionSource<StoreError>? Read { get; set; }
        /// <summary>Zero: nothing new.</summary>
        public ulong PersistedSequence { get; set; }

        public bool IsEmpty => IsEmptyButForReads && Read is null;

        public bool IsEmptyButForReads =>
            Proposals.Count == 0 && Messages.Count == 0 && PersistedSequence == 0 && Actions.Count == 0 && Renewals.Count == 0;

        public void Clear()
        {
            Proposals.Clear();
            Renewals.Clear();
            Messages.Clear();
            Actions.Clear();
            Read = null;
            PersistedSequence = 0;
        }
    }
}
