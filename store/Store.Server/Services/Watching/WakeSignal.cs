using System.Threading.Tasks.Sources;

namespace Store.Server;

/// <summary>
/// Wakes one waiting task, from any thread, without running it on the caller's thread and without allocating. A Set while nobody waits is
/// remembered; several are one.
/// </summary>
sealed class WakeSignal : IValueTaskSource
{
    const int Idle = 0, IsSet = 1, Waiting = 2;

    ManualResetValueTaskSourceCore<bool> source = new() { RunContinuationsAsynchronously = true };
    int state;

    public void Set()
    {
        while (true)
        {
            switch (Volatile.Read(ref state))
            {
                case IsSet:
                    return;
                case Idle:
                    if (Interlocked.CompareExchange(ref state, IsSet, Idle) == Idle) return;
                    break;
                default:
                    if (Interlocked.CompareExchange(ref state, Idle, Waiting) != Waiting) break;
                    source.SetResult(true);
                    return;
            }
        }
    }

    /// <summary>For one waiter at a time.</summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref state, Idle, IsSet) == IsSet) return default;
        source.Reset();
        if (Interlocked.CompareExchange(ref state, Waiting, Idle) == Idle) return new(this, source.Version);
        Volatile.Write(ref state, Idle);
        return default;
    }

    void IValueTaskSource.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
