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
    /// <param name="told">A backup taken for this drill, with the member's hash. Where nothing was written since the last one, or more was since, the newest backup
    /// does not end with it; its revision is compared all the same, unless compaction has moved on in between.</param>
    public async Task<DrillResult> RunAsync(string cluster, Manifest? told, CancellationToken cancellationToken)
    {
        var (at, started) = (time.GetUtcNow(), Stopwatch.GetTimestamp());
        var plan = RecoveryPlan.Newest((await catalogue.ReadAsync(cluster, cancellationToken)).Backups)
            ?? throw new BackupException(BackupFailure.NotRecoverable, "there is no full backup to restore for practice");
        var end = plan.Chain[^1];
        var compared = end.KvHash is not null ? end : told is { KvHash: not null } && told.History == end.History && told.Compacted == end.Compacted && told.To <= plan.Until ? told : null;
        var problem = await FindProblemAsync(plan, compared, cancellationToken);
        return new(at, Stopwatch.GetElapsedTime(started), plan.Until, compared is not null, problem);
    }

    async Task<string?> FindProblemAsync(RecoveryPlan plan, Manifest? compared, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(scratch, $"drill-{plan.Chain[^1].Id}");
        try
        {
            using var unpacked = await UnpackedBackups.OpenAsync(plan, reader, scratch, cancellationToken);
            return await Task.Run(() => Restore(unpacked, folder, compared), cancellationToken);
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

    static string? Restore(UnpackedBackups unpacked, string folder, Manifest? compared)
    {
        using var data = DataDirectory.Open(folder, null);
        var storage = data.OpenStorage(new(1, new(1)), new(), new());
        using var engine = storage.Engine;
        using var log = storage.Log;
        var backend = unpacked.Backend;
        StateRestore.Run(backend.Read, new(BumpRevision: 0, MarkCompacted: false) { FormerLeases = backend.FormerLeases }, engine);
        var view = StateMachine.Open(engine, new()).View;
        if (view.Revision.Value != unpacked.Plan.Until) return $"the restored state stands at revision {view.Revision}, not at {unpacked.Plan.Until}";
        if (compared is null) return null;
        var hash = view.HashKv(new(compared.To)).Hash;
        return hash == compared.KvHash ? null : $"the restored state has hash {hash} at revision {compared.To}, the member had {compared.KvHash}";
    }
}
