using System.Diagnostics;
using Store.State;
using Store.Storage;

namespace Store.Agent;

/// <param name="Problem">Null when it succeeded.</param>
public sealed record DrillResult(DateTimeOffset At, TimeSpan Took, long Revision, bool HashCompared, string? Problem);

/// <summary>
/// Restores the newest backup for practice: from the target alone, into an engine on disk as a member would have it, which is then opened, and whose hash must be the one
/// that the member told at that revision.
/// </summary>
public sealed class Drill(BackupCatalogue catalogue, BackupReader reader, string scratch, TimeProvider time)
{
    public async Task<DrillResult> RunAsync(string cluster, CancellationToken cancellationToken)
    {
        var (at, started) = (time.GetUtcNow(), Stopwatch.GetTimestamp());
        var plan = RecoveryPlan.Newest((await catalogue.ReadAsync(cluster, cancellationToken)).Backups)
            ?? throw new BackupException(BackupFailure.NotRecoverable, "there is no full backup to restore for practice");
        var expected = plan.Chain[^1].KvHash;
        var problem = await FindProblemAsync(plan, expected, cancellationToken);
        return new(at, Stopwatch.GetElapsedTime(started), plan.Until, expected is not null, problem);
    }

    async Task<string?> FindProblemAsync(RecoveryPlan plan, uint? expected, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(scratch, $"drill-{plan.Chain[^1].Id}");
        try
        {
            using var unpacked = await UnpackedBackups.OpenAsync(plan, reader, scratch, cancellationToken);
            return await Task.Run(() => Restore(unpacked, folder, expected), cancellationToken);
        }
        catch (Exception e) when (e is BackupException { Failure: BackupFailure.Damaged } or StorageException or BackendFormatException)
        {
            return e.Message;
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    static string? Restore(UnpackedBackups unpacked, string folder, uint? expected)
    {
        using var data = DataDirectory.Open(folder, null);
        var storage = data.OpenStorage(new(1, new(1)), new(), new());
        using var engine = storage.Engine;
        using var log = storage.Log;
        var backend = unpacked.Backend;
        StateRestore.Run(backend.Read, new(BumpRevision: 0, MarkCompacted: false) { FormerLeases = backend.FormerLeases }, engine);
        var view = StateMachine.Open(engine, new()).View;
        if (view.Revision.Value != unpacked.Plan.Until) return $"the restored state stands at revision {view.Revision}, not at {unpacked.Plan.Until}";
        var hash = view.HashKv(default).Hash;
        return expected is null || hash == expected ? null : $"the restored state has hash {hash} at revision {view.Revision}, the member had {expected}";
    }
}
