using Store.Raft;
using Store.State;
using Store.Storage;

namespace Store.Server;

/// <summary>
/// Makes the engine durable from time to time, on a thread of its own: what is not flushed must be replayed from the log after a crash, so entries, bytes and time without a
/// flush are bounded (20,000 entries replay in well under a second), and only what is flushed may be cut from the log.
/// </summary>
sealed class EngineFlusher : IDisposable
{
    const ulong EntriesMax = 20_000;
    const long BytesMax = 64 << 20;
    static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(30);

    readonly TimeProvider time;
    readonly Action<LogIndex> flushed;
    readonly Action<Exception> failed;
    readonly object gate = new();
    readonly Thread thread;
    RocksEngine engine;
    LogIndex durable;
    LogIndex wanted;
    LogIndex applied;
    long durableBytes;
    long appliedBytes;
    long sinceTimestamp;
    bool stopping;

    public EngineFlusher(RocksEngine engine, LogIndex durable, TimeProvider time, Action<LogIndex> flushed, Action<Exception> failed)
    {
        (this.engine, this.durable, this.time, this.flushed, this.failed) = (engine, durable, time, flushed, failed);
        sinceTimestamp = time.GetTimestamp();
        thread = new(Run) { Name = "engine flusher", IsBackground = true };
    }

    public void Start() => thread.Start();

    /// <summary>Called after each apply; nearly always just compares.</summary>
    public void Applied(StateView view)
    {
        lock (gate)
        {
            applied = view.Applied;
            appliedBytes = view.LiveBytes;
            if (applied == durable || wanted > durable) return;
            var due = applied > durable + EntriesMax || Math.Abs(appliedBytes - durableBytes) > BytesMax || time.GetElapsedTime(sinceTimestamp) > TimeMax;
            if (!due) return;
            wanted = applied;
            Monitor.Pulse(gate);
        }
    }

    /// <summary>Another engine took the place, durable up to the index.</summary>
    public void Replace(RocksEngine replacement, LogIndex index)
    {
        lock (gate)
        {
            engine = replacement;
            durable = wanted = applied = index;
        }
    }

    void Run()
    {
        try
        {
            while (WaitForWork() is var (target, index) && target is not null) Flush(target, index);
        }
        catch (Exception e)
        {
            failed(e);
        }
    }

    (RocksEngine? Engine, LogIndex Index) WaitForWork()
    {
        lock (gate)
        {
            while (wanted <= durable && !stopping) Monitor.Wait(gate);
            return stopping ? (null, default) : (engine, wanted);
        }
    }

    /// <summary>Everything applied before the call is in the flush; what is applied meanwhile may or may not be, and does not count.</summary>
    void Flush(RocksEngine target, LogIndex index)
    {
        long bytes;
        lock (gate) (index, bytes) = (LogIndex.Max(index, applied), appliedBytes);
        try
        {
            target.Flush();
        }
        catch (ObjectDisposedException)
        {
            // Replaced by a snapshot in the meantime.
            return;
        }
        lock (gate)
        {
            if (engine != target) return;
            (durable, durableBytes, sinceTimestamp) = (index, bytes, time.GetTimestamp());
        }
        flushed(index);
    }

    public void Dispose()
    {
        lock (gate)
        {
            stopping = true;
            Monitor.Pulse(gate);
        }
        if (thread.IsAlive) thread.Join();
    }
}
