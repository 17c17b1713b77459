namespace Store.Storage;

/// <summary>
/// Deletes old segments off the log's thread (freeing 64 MiB may take the file system milliseconds). Oldest first, each made durable before the next:
/// two deletions at once could survive a crash in either order and leave a hole.
/// </summary>
sealed class SegmentRemover : IDisposable
{
    Task running = Task.CompletedTask;

    /// <summary>Throws what an earlier removal ran into.</summary>
    internal void Remove(string folder, IReadOnlyList<string> oldestFirst)
    {
        if (running.IsFaulted) running.GetAwaiter().GetResult();
        running = running.ContinueWith(
            before =>
            {
                before.GetAwaiter().GetResult();
                foreach (var path in oldestFirst)
                {
                    Disk.Try(path, "cannot be deleted", () => File.Delete(path));
                    Disk.SyncFolder(folder);
                }
            },
            CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    public void Dispose() => running.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Wait();
}
