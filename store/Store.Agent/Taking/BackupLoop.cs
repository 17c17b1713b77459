using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Store.Agent;

/// <summary>
/// One agent's life: look, decide, take, tidy up, and look again. Nothing is remembered that is not at the target: after a crash it goes on from what is there. An attempt
/// that failed is only waited for, longer each time; it stands in no later one's way.
/// </summary>
sealed class BackupLoop(AgentOptions options, AgentParts parts, AgentState state, TimeProvider time, ILogger logger)
{
    static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);
    static readonly TimeSpan ListInterval = TimeSpan.FromSeconds(5);
    static readonly TimeSpan ListIntervalInTurn = TimeSpan.FromSeconds(30);
    static readonly TimeSpan RankingInterval = TimeSpan.FromSeconds(3);
    static readonly TimeSpan TidyInterval = TimeSpan.FromSeconds(30);
    static readonly TimeSpan BackOffMax = TimeSpan.FromSeconds(60);

    /// <summary>What the backups ended with when one became due, and when that was.</summary>
    (string? Newest, DateTimeOffset Since)? waiting;
    Task? full;

    /// <summary>What the full backup under way will be.</summary>
    volatile Manifest? begun;
    DateTimeOffset nextFull;
    int fullFailures;
    CatalogueContent? known;
    string cluster = "";
    DateTimeOffset nextList;
    int? rank;
    DateTimeOffset nextRanking;
    readonly Tidying tidy = new(options, parts, time, logger);
    Task? tidying;
    DateTimeOffset nextTidy;

    public async Task RunAsync(CancellationToken stopping)
    {
        for (var failures = 0; !stopping.IsCancellationRequested;)
        {
            var wait = options.Schedule.DeltaInterval < LookInterval ? options.Schedule.DeltaInterval : LookInterval;
            try
            {
                // What was taken is to be seen at once.
                if (await TurnAsync(stopping)) wait = TimeSpan.Zero;
                failures = 0;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
            catch (BackupException e)
            {
                wait = Report(e, failures++);
            }
            await Task.Delay(wait, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        // It was told to stop, too.
        await Task.WhenAll(full ?? Task.CompletedTask, tidying ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>How long to wait now.</summary>
    TimeSpan Report(BackupException failure, int failures)
    {
        var wait = BackOff(failures);
        state.Failed(failure, time.GetUtcNow());
        AgentLog.AttemptFailed(logger, failure.Failure.ToString(), failure.Message, wait.TotalSeconds);
        return wait;
    }

    /// <summary>1, 2, 4 s and so on, each up to a quarter longer, so that agents do not come back together.</summary>
    static TimeSpan BackOff(int failures) =>
        TimeSpan.FromSeconds(Math.Min(BackOffMax.TotalSeconds, Math.Pow(2, Math.Min(failures, 10))) * (1 + Random.Shared.NextDouble() / 4));

    /// <returns>Whether a delta was taken.</returns>
    async Task<bool> TurnAsync(CancellationToken stopping)
    {
        var member = await parts.Member.StatusAsync(stopping);
        var now = time.GetUtcNow();
        // Before the list is looked at: one from before the full backup's end would have another one taken.
        await EndFullAsync(now);
        var content = await ListAsync(member, now, stopping);
        state.Looked(member, content, now);
        var next = Decide(content, member, now);
        var newest = RecoveryPlan.Newest(content.Backups)?.Chain[^1];
        waiting = next is NextBackup.Nothing ? null : waiting is { } since && since.Newest == newest?.Id ? since : (newest?.Id, now);
        await RankAsync(member, now, stopping);
        if (!Turn.IsMine(rank, waiting?.Since, now, next)) return false;
        var took = await TakeAsync(next, newest, stopping);
        await TidyAsync(member.ClusterId, stopping);
        return took;
    }

    /// <summary>Takes the outcome of a full backup that has ended. One that failed is waited for by itself: deltas go on.</summary>
    async Task EndFullAsync(DateTimeOffset now)
    {
        if (full is not { IsCompleted: true } ended) return;
        (full, begun, known) = (null, null, null);
        try
        {
            await ended;
            fullFailures = 0;
        }
        catch (BackupException e)
        {
            nextFull = now + Report(e, fullFailures++);
        }
    }

    NextBackup Decide(CatalogueContent content, MemberStatus member, DateTimeOffset now) =>
        NextBackup.Decide(content.Backups, member, options.Schedule, now, isFullUnderWay: full is not null || now < nextFull, begun, state.WantedAfter);

    /// <summary>
    /// A list costs money in a cloud. Whoever has the turn makes one when a backup seems due, to see whether another agent has taken it; all do from time to time.
    /// </summary>
    async Task<CatalogueContent> ListAsync(MemberStatus member, DateTimeOffset now, CancellationToken stopping)
    {
        if (known is { } last && member.ClusterId == cluster && now < nextList && !(rank == 0 && Decide(last, member, now) is not NextBackup.Nothing))
            return last;
        known = await parts.Catalogue.ReadAsync(member.ClusterId, stopping);
        cluster = member.ClusterId;
        nextList = now + (rank == 0 ? ListIntervalInTurn : ListInterval);
        foreach (var problem in known.Unusable) AgentLog.Unusable(logger, problem.Message);
        return known;
    }

    /// <summary>Members come, go and lead; but not every half second is worth a question to all of them.</summary>
    async Task RankAsync(MemberStatus member, DateTimeOffset now, CancellationToken stopping)
    {
        if (now < nextRanking) return;
        rank = Turn.RankOf(member.MemberId, await parts.Member.AllAsync(stopping));
        state.Ranked(rank);
        nextRanking = now + RankingInterval;
    }

    /// <summary>A full backup may take long; deltas go on beside it.</summary>
    async Task<bool> TakeAsync(NextBackup next, Manifest? newest, CancellationToken stopping)
    {
        if (next is NextBackup.Full(var why)) full = FullAsync(why, newest, stopping);
        if (next is not NextBackup.Delta(var after)) return false;
        var started = Stopwatch.GetTimestamp();
        var delta = await parts.Taker.DeltaAsync(after, withHash: false, stopping);
        known = null;
        if (delta is not null) state.Took(delta, Stopwatch.GetElapsedTime(started));
        else if (full is null && time.GetUtcNow() >= nextFull) full = FullAsync("the member's history does not go on from the last backup", newest, stopping);
        return delta is not null;
    }

    async Task FullAsync(string why, Manifest? newest, CancellationToken stopping)
    {
        AgentLog.TakingFull(logger, why);
        var started = Stopwatch.GetTimestamp();
        var full = await parts.Taker.FullAsync(newest, draft => begun = draft, stopping);
        state.Took(full, Stopwatch.GetElapsedTime(started));
        AgentLog.TookFull(logger, full.Id, full.To, full.PlainBytes, full.StoredBytes, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Merging may take long, too.</summary>
    async Task TidyAsync(string cluster, CancellationToken stopping)
    {
        if (tidying is { IsCompleted: true } ended)
        {
            tidying = null;
            try
            {
                await ended;
            }
            catch (BackupException e)
            {
                Report(e, 0);
            }
        }
        if (tidying is not null || time.GetUtcNow() < nextTidy) return;
        nextTidy = time.GetUtcNow() + TidyInterval;
        tidying = tidy.RunAsync(cluster, stopping);
    }
}
