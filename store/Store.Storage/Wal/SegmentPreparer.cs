using Microsoft.Win32.SafeHandles;

namespace Store.Storage;

/// <summary>
/// Makes the next segment's file ahead of time: full size, zeroed, synced, so that appending changes no metadata and fdatasync has only data to
/// write. It works in small synced steps with pauses, so that it does not get in the way of the log's own syncs, and without pauses once the log waits.
/// </summary>
sealed class SegmentPreparer(string folder) : IDisposable
{
    const int StepBytes = 1 << 20;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    readonly ManualResetEventSlim hurry = new();
    readonly CancellationTokenSource stopping = new();
    Task<SafeFileHandle>? next;
    long nextBytes;

    internal string DraftPath { get; } = Path.Combine(folder, "next.tmp");

    internal bool IsIdle => next is null;

    /// <summary>Begins to prepare in the background.</summary>
    internal void Begin(long segmentBytes)
    {
        Store.Raft.Invariant.Require(next is null);
        hurry.Reset();
        nextBytes = segmentBytes;
        next = Task.Factory.StartNew(
            () => Create(segmentBytes, () => !hurry.Wait(Pause)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The prepared file under its draft name, of at least the size. Waits for it, or makes it now.</summary>
    internal SafeFileHandle Take(long segmentBytes, out long actualBytes)
    {
        if (next is { } prepared)
        {
            next = null;
            hurry.Set();
            // What the background could not do (a full disk) may work by now: on failure it is tried once more below, and that error is told.
            if (Finished(prepared) is { } file)
            {
                actualBytes = nextBytes;
                if (nextBytes >= segmentBytes) return file;
                file.Dispose();
            }
        }
        actualBytes = segmentBytes;
        return Create(segmentBytes, static () => false);
    }

    static SafeFileHandle? Finished(Task<SafeFileHandle> prepared)
    {
        try
        {
            return prepared.GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is StorageException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <param name="pause">Called between steps; true when there is time, and each step is then synced by itself.</param>
    SafeFileHandle Create(long segmentBytes, Func<bool> pause) => Disk.Try(DraftPath, $"cannot prepare the next segment of {segmentBytes} bytes", () =>
    {
        var file = File.OpenHandle(DraftPath, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            var zeros = new byte[Math.Min(StepBytes, segmentBytes)];
            for (long at = 0; at < segmentBytes; at += zeros.Length)
            {
                stopping.Token.ThrowIfCancellationRequested();
                if (at > 0 && pause()) Disk.DataSync(file, DraftPath);
                RandomAccess.Write(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, segmentBytes - at)), at);
            }
            Disk.DataSync(file, DraftPath);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    });

    public void Dispose()
    {
        stopping.Cancel();
        hurry.Set();
        if (next is { } prepared) Finished(prepared)?.Dispose();
        hurry.Dispose();
        stopping.Dispose();
    }
}
