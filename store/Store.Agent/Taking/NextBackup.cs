namespace Store.Agent;

/// <summary>What a member told of itself a moment ago.</summary>
/// <param name="Revision">Of its own state, which may be behind the leader's.</param>
public readonly record struct MemberStatus(string ClusterId, ulong MemberId, long Revision, ulong AppliedIndex, bool HasLeader, bool IsLeader, bool IsLearner);

/// <param name="FullInterval">From the beginning of one to the next.</param>
/// <param name="DeltaInterval">How far behind the newest recoverable moment may be, while there are writes.</param>
public sealed record BackupSchedule(TimeSpan FullInterval, TimeSpan DeltaInterval)
{
    public static readonly BackupSchedule Default = new(TimeSpan.FromHours(6), TimeSpan.FromSeconds(2));

    /// <summary>Leases and users change without a revision, and the log moves on for reasons that no backup shows.</summary>
    public static readonly TimeSpan QuietInterval = TimeSpan.FromSeconds(30);
}

/// <summary>Decides which backup is due.</summary>
public abstract record NextBackup
{
    NextBackup() { }

    public sealed record Nothing : NextBackup;

    public sealed record Full(string Why) : NextBackup;

    /// <param name="After">The end of the chain that it goes on from.</param>
    public sealed record Delta(Manifest After) : NextBackup;

    /// <param name="backups">Of this cluster.</param>
    /// <param name="isFullUnderWay">Or has just failed: no other one is begun then.</param>
    /// <param name="begun">The one that is under way, as soon as it is known what it will be.</param>
    /// <param name="wantedAfter">Somebody wants a full backup that is newer than the one of this id (empty for none).</param>
    public static NextBackup Decide(
        IReadOnlyCollection<Manifest> backups, MemberStatus member, BackupSchedule schedule, DateTimeOffset now, bool isFullUnderWay, Manifest? begun = null, string? wantedAfter = null)
    {
        if (EndOf(backups, begun) is not { } end) return isFullUnderWay ? new Nothing() : new Full("there is none");
        if (!isFullUnderWay && wantedAfter is not null && (NewestFull(backups)?.Id ?? "") == wantedAfter) return new Full("it was asked for");
        if (!isFullUnderWay && now - backups.Where(backup => backup.IsFull).Max(backup => backup.Time) >= schedule.FullInterval) return new Full("it is due");
        var quiet = schedule.DeltaInterval > BackupSchedule.QuietInterval ? schedule.DeltaInterval : BackupSchedule.QuietInterval;
        var interval = member.Revision > end.To ? schedule.DeltaInterval : quiet;
        return HasMoved(member, end) && now - end.Time >= interval ? new Delta(end) : new Nothing();
    }

    /// <summary>By time: where nothing was written in between, one is like another in all else.</summary>
    public static Manifest? NewestFull(IEnumerable<Manifest> backups) => backups.Where(backup => backup.IsFull).MaxBy(backup => (backup.Time, backup.Id));

    /// <summary>
    /// What a delta goes on from. While the first full backup of a history is stored and verified, deltas already go on from where it ends: the moment that it is there,
    /// they are, too. While a later one is, they go on from what is there, or there would be a hole should it fail.
    /// </summary>
    static Manifest? EndOf(IReadOnlyCollection<Manifest> backups, Manifest? begun)
    {
        var newest = RecoveryPlan.Newest(backups);
        return begun is null || newest?.Chain[^1].History == begun.History
            ? newest?.Chain[^1]
            : RecoveryPlan.Newest([.. backups.Where(backup => backup.History == begun.History), begun])!.Chain[^1];
    }

    /// <summary>A member that stands elsewhere than the chain's end, in either direction: one that is behind it may have been put back.</summary>
    public static bool HasMoved(MemberStatus member, Manifest end) => member.Revision != end.To || member.AppliedIndex != end.AppliedIndex;
}
