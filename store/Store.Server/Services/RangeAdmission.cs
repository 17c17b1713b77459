namespace Store.Server;

/// <summary>
/// Bounds the memory of large range answers in flight: each takes its estimated bytes from one budget and gives them back once written; who does
/// not fit waits in line. Small answers do not ask.
/// </summary>
/// <remarks>An answer larger than the whole budget is let in alone: it must be answered some time.</remarks>
sealed class RangeAdmission
{
    readonly Lock gate = new();
    readonly LinkedList<Waiter> line = [];
    readonly long budgetBytes;
    long available;

    public RangeAdmission(long budgetBytes) => available = this.budgetBytes = budgetBytes;

    internal int Waiting
    {
        get { lock (gate) return line.Count; }
    }

    public ValueTask<Lease> EnterAsync(long bytes, CancellationToken cancellationToken)
    {
        bytes = Math.Clamp(bytes, 0, budgetBytes);
        lock (gate)
        {
            if (line.Count == 0 && bytes <= available)
            {
                available -= bytes;
                return ValueTask.FromResult(new Lease(this, bytes));
            }

            var waiter = new Waiter(bytes);
            var place = line.AddLast(waiter);
            return new(WaitAsync(waiter, place, cancellationToken));
        }
    }

    async Task<Lease> WaitAsync(Waiter waiter, LinkedListNode<Waiter> place, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(_ => GiveUp(place, cancellationToken), null);
        await waiter.Turn.Task;
        return new Lease(this, waiter.Bytes);
    }

    void GiveUp(LinkedListNode<Waiter> place, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (place.List is null) return; // Its turn had come already: the lease is on its way to the caller.
            line.Remove(place);
            Admit();
        }

        place.Value.Turn.TrySetCanceled(cancellationToken);
    }

    void Return(long bytes)
    {
        lock (gate)
        {
            available += bytes;
            Admit();
        }
    }

    void Admit()
    {
        while (line.First is { } first && first.Value.Bytes <= available)
        {
            line.RemoveFirst();
            available -= first.Value.Bytes;
            first.Value.Turn.SetResult();
        }
    }

    /// <summary>Bytes of the budget, held until disposed.</summary>
    public readonly struct Lease(RangeAdmission admission, long bytes) : IDisposable
    {
        public void Dispose()
        {
            if (bytes > 0) admission.Return(bytes);
        }
    }

    sealed class Waiter(long bytes)
    {
        public long Bytes { get; } = bytes;

        public TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
