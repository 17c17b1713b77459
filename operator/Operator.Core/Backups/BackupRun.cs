namespace Operator.Core;

/// <summary>What comes next for a StoreBackup. Pure; the shell writes the status, and then asks.</summary>
/// <remarks>
/// 1. status says Running, and which full backup is the newest one;
/// 2. an agent is asked for a newer one, again and again: it takes one and no more, whoever asks how often;
/// 3. a newer one is there, and status says which.
/// A crash between any two of these goes on at the next. A backup that was under way already when it was asked for counts: what it lacks is in the deltas behind it.
/// </remarks>
/// <param name="Ask">The member whose agent is to be asked now; null for nobody.</param>
public sealed record BackupRun(StoreBackupStatus Status, MemberName? Ask)
{
    /// <param name="cluster">Null when there is none of that name.</param>
    /// <param name="agents">Those that answered.</param>
    /// <param name="refused">What was said against the last request; null when it was taken.</param>
    public static BackupRun Decide(StoreBackup backup, StoreCluster? cluster, IReadOnlyDictionary<MemberName, AgentReport> agents, DateTime now, string? refused = null)
    {
        var status = backup.Status ?? new StoreBackupStatus();
        var run = new BackupRun(status, Ask: null);
        if (status.Ended) return run;
        if (status.StartedAt is not { } started) return run with { Status = Start(backup, cluster, agents, now) };
        if (Overtaken(status, cluster) is { } overtaken) return run with { Status = Fail(status, overtaken, now) };
        if (Newest(agents) is { LastFull: { } full } newest && full.Id != status.After) return run with { Status = Succeed(status, newest, full, now) };
        if (now - started >= TimeSpan.FromSeconds(backup.Spec.TimeoutSeconds))
            return run with { Status = Fail(status, $"it was not there after {backup.Spec.TimeoutSeconds} s: {Wait(agents, refused)}", now) };
        return new BackupRun(status with { Message = Wait(agents, refused) }, Asked(agents));
    }

    static StoreBackupStatus Start(StoreBackup backup, StoreCluster? cluster, IReadOnlyDictionary<MemberName, AgentReport> agents, DateTime now)
    {
        StoreBackupStatus Pending(string why) => new() { Phase = StoreBackupStatus.Pending, Message = why };
        if (cluster is null) return Pending($"there is no StoreCluster {backup.Spec.Cluster} in this namespace");
        if (cluster.Spec.Backup is null) return Pending($"StoreCluster {backup.Spec.Cluster} has no spec.backup, which says where backups go");
        if (cluster.Status?.ClusterId is not { } id) return Pending($"StoreCluster {backup.Spec.Cluster} has not formed yet");
        return agents.Count == 0
            ? Pending($"no backup agent of StoreCluster {backup.Spec.Cluster} answers")
            : new StoreBackupStatus
            {
                Phase = StoreBackupStatus.Running,
                Message = "an agent is asked for it",
                Cluster = backup.Spec.Cluster,
                ClusterId = id,
                Source = BackupSource.Of(cluster.Spec.Backup),
                After = Newest(agents)?.LastFull?.Id,
                StartedAt = now,
            };
    }

    /// <summary>Why a newer full backup would be of another cluster, or somewhere else than status says; null when it would not.</summary>
    static string? Overtaken(StoreBackupStatus status, StoreCluster? cluster)
    {
        if (cluster?.Status?.ClusterId is { } id && id != status.ClusterId) return $"StoreCluster {status.Cluster} was made anew while it was being taken; make another StoreBackup";
        return cluster?.Spec.Backup is { } backup && status.Source is { } source && BackupSource.Of(backup) != source
            ? $"spec.backup of StoreCluster {status.Cluster} was changed while it was being taken, and backups go elsewhere or are encrypted otherwise now; make another StoreBackup"
            : null;
    }

    static StoreBackupStatus Fail(StoreBackupStatus status, string why, DateTime now) => status with { Phase = StoreBackupStatus.Failed, Message = why, CompletedAt = now };

    static StoreBackupStatus Succeed(StoreBackupStatus status, AgentReport newest, AgentBackup full, DateTime now) => status with
    {
        Phase = StoreBackupStatus.Succeeded,
        Message = null,
        CompletedAt = now,
        Location = newest.Location,
        Id = full.Id,
        Revision = full.Revision,
        Time = full.Time.UtcDateTime,
        Bytes = full.Bytes,
        StoredBytes = full.StoredBytes,
    };

    static AgentReport? Newest(IReadOnlyDictionary<MemberName, AgentReport> agents) => agents.ByNumber().Select(pair => pair.Value).MaxBy(agent => agent.LastFull?.Time ?? DateTimeOffset.MinValue);

    /// <summary>Whose turn it is; where nobody's is known to be, the first.</summary>
    static MemberName? Asked(IReadOnlyDictionary<MemberName, AgentReport> agents) =>
        agents.ByNumber().OrderByDescending(pair => pair.Value.Turn).Select(pair => (MemberName?)pair.Key).FirstOrDefault();

    static string Wait(IReadOnlyDictionary<MemberName, AgentReport> agents, string? refused) => agents.Count == 0 ? "no backup agent answers"
        : refused is not null ? $"it could not be asked for: {refused}"
        : agents.LastFailure() is { } failure ? $"it is being taken; the last failure was: {failure.Message}"
        : "it is being taken";
}
