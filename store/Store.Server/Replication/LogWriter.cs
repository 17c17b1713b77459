using Store.Raft;
using Store.Storage;

namespace Store.Server;

/// <summary>
/// The thread that owns the Raft log on disk. It takes whatever queued while the last sync ran, writes it with one sync, and reports the newest
/// sequence: so the loop never waits for the disk, and the disk is never idle while there is something to write.
/// </summary>
sealed class LogWriter : IDisposable
{
    readonly WriteAheadLog log;
    readonly Action<ulong> persisted;
    readonly Action<Exception> failed;
    readonly object gate = new();
    readonly Thread thread;
    List<PersistRequest> queued = [];
    List<PersistRequest> writing = [];
    LogIndex? cutTo;
    bool stopping;

    public LogWriter(WriteAheadLog log, Action<ulong> persisted, Action<Exception> failed)
    {
        this.log = log;
        this.persisted = persisted;
        this.failed = failed;
        thread = new(Run) { Name = "log writer", IsBackground = true };
    }

    public void Start() => thread.Start();

    public void Persist(PersistRequest request)
    {
        lock (gate)
        {
            queued.Add(request);
            if (queued.Count == 1) Monitor.Pulse(gate);
        }
    }

    public void Cut(LogIndex upTo)
    {
        lock (gate)
        {
            cutTo = upTo;
            Monitor.Pulse(gate);
        }
    }

    void Run()
    {
        try
        {
            while (Take() is var (requests, cut) && (requests.Count > 0 || cut is not null))
            {
                if (requests.Count > 0) Write(requests);
                if (cut is { } upTo) log.Cut(upTo);
            }
        }
        catch (Exception e)
        {
            failed(e);
        }
    }

    /// <summary>Waits for work; nothing at all means stop, which comes after everything queued was written.</summary>
    (List<PersistRequest> Requests, LogIndex? Cut) Take()
    {
        lock (gate)
        {
            while (queued.Count == 0 && cutTo is null && !stopping) Monitor.Wait(gate);
            (queued, writing) = (writing, queued);
            var cut = cutTo;
            cutTo = null;
            return (writing, cut);
        }
    }

    void Write(List<PersistRequest> requests)
    {
        log.Persist(requests);
        var last = requests[^1].Sequence;
        requests.Clear();
        persisted(last);
    }

    /// <summary>Writes what is queued, then ends. The log stays open: it is the caller's.</summary>
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
