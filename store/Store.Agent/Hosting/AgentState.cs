namespace Store.Agent;

/// <param name="Failure">One of <see cref="BackupFailure"/>.</param>
public sealed record FailedAttempt(DateTimeOffset At, string Failure, string Message);

/// <summary>What one backup was, for reports.</summary>
public sealed record TakenBackup(string Id, long Revision, DateTimeOffset Time, long Bytes, long StoredBytes)
{
    public static TakenBackup Of(Manifest manifest) => new(manifest.Id, manifest.To, manifest.Time, manifest.PlainBytes, manifest.StoredBytes);
}

/// <summary>What the agent knows of the backups, as `/status` tells it. Computed from the catalogue at every look, never latched.</summary>
/// <param name="RecoverableTo">Everything that was acknowledged before can be restored; null while nothing can.</param>
/// <param name="Unusable">Why listed backups cannot be used.</param>
/// <param name="LastFailure">Of this agent, with its time; a success since then does not remove it.</param>
public sealed record AgentStatus(
    string Location, string ClusterId, bool Turn, DateTimeOffset? RecoverableFrom, DateTimeOffset? RecoverableTo, long RecoverableRevision, int Fulls, int Deltas,
    TakenBackup? LastFull, TakenBackup? LastDelta, IReadOnlyList<string> Unusable, FailedAttempt? LastFailure, DrillResult? LastDrill);

/// <summary>What loops tell, and reports read. One loop writes each part.</summary>
sealed class AgentState
{
    readonly Lock gate = new();
    string? wantedAfter;
    AgentStatus status = new("", "", false, null, null, 0, 0, 0, null, null, [], null, null);

    public AgentStatus Status
    {
        get { lock (gate) return status; }
    }

    /// <summary>No other agent is to be waited for.</summary>
    public bool IsFirst => Status.Turn;

    public void At(string location)
    {
        lock (gate) status = status with { Location = location };
    }

    public void Looked(MemberStatus member, CatalogueContent content, DateTimeOffset now)
    {
        var newest = RecoveryPlan.Newest(content.Backups);
        var end = newest?.Chain[^1];
        // Nothing was written since: what is there is the state of now.
        var to = end is null ? default(DateTimeOffset?) : member.HasLeader && !NextBackup.HasMoved(member, end) ? now : end.Time;
        lock (gate)
        {
            status = status with
            {
                ClusterId = member.ClusterId,
                RecoverableFrom = content.Backups.Where(backup => backup.IsFull).Select(backup => (DateTimeOffset?)backup.Time).Min(),
                RecoverableTo = to,
                RecoverableRevision = newest?.Until ?? 0,
                Fulls = content.Backups.Count(backup => backup.IsFull),
                Deltas = content.Backups.Count(backup => !backup.IsFull),
                LastFull = NextBackup.NewestFull(content.Backups) is { } full ? TakenBackup.Of(full) : null,
                LastDelta = NewestDelta(content),
                Unusable = [.. content.Unusable.Select(problem => problem.Message)],
            };
        }
    }

    /// <summary>Somebody wants a full backup that is newer than the one of this id (empty for none); null when nobody does.</summary>
    public string? WantedAfter
    {
        get { lock (gate) return wantedAfter; }
    }

    /// <summary>Asking twice is asking once: what is wanted is that there is a newer one.</summary>
    public void Want(string after)
    {
        lock (gate) wantedAfter = after;
    }

    public void Ranked(int? rank)
    {
        lock (gate) status = status with { Turn = rank == 0 };
    }

    /// <summary>What can be restored with it is seen at the next look: it may need another one that is under way, or be older than what is there.</summary>
    public void Took(Manifest taken, TimeSpan took)
    {
        AgentMetrics.Took(taken, took);
        lock (gate)
        {
            status = status with
            {
                LastFull = taken.IsFull ? TakenBackup.Of(taken) : status.LastFull,
                LastDelta = taken.IsFull ? status.LastDelta : TakenBackup.Of(taken),
            };
        }
    }

    public void Failed(BackupException failure, DateTimeOffset now)
    {
        AgentMetrics.Failures.Add(1, new KeyValuePair<string, object?>("reason", failure.Failure.ToString()));
        lock (gate) status = status with { LastFailure = new(now, failure.Failure.ToString(), failure.Message) };
    }

    public void Drilled(DrillResult result)
    {
        lock (gate) status = status with { LastDrill = result };
    }

    static TakenBackup? NewestDelta(CatalogueContent content) =>
        content.Backups.Where(backup => !backup.IsFull).MaxBy(backup => (backup.To, backup.AppliedIndex)) is { } last ? TakenBackup.Of(last) : null;
}
