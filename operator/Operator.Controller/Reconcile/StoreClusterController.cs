using System.Collections.Concurrent;
using System.Security.Cryptography;
using Operator.Core;

namespace Operator.Controller;

/// <summary>One pass: observe, diagnose, plan, report, execute. At most one thing is changed; the next pass looks again.</summary>
sealed class StoreClusterController(Observer observer, Executor executor, StatusWriter statuses, LoginTokens tokens, EventRecorder events, ClusterMetrics metrics, ILogger log) : IEntityController<StoreCluster>
{
    /// <summary>After a step the world is different: look again at once, yet let other clusters have their turn.</summary>
    static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(20);

    /// <summary>While something is awaited. Pods announce themselves by their watch; members do not.</summary>
    static readonly TimeSpan Waiting = TimeSpan.FromSeconds(1);

    /// <summary>What a person has to mend, or has to make, is no sooner there for being looked at every second.</summary>
    static readonly HashSet<string> ForPeople = new(StringComparer.Ordinal)
    {
        "SecretMissing", "SecretInvalid", "SecretsUnreadable", "CertificateUntrusted", "Expired", "CertManagerMissing", "CertManagerForbidden",
        "RootSecretMissing", "RootSecretKeyMissing", "RootSecretUnreadable", "RootPasswordUnusable",
    };

    /// <summary>How old a status may get when nothing happens: members that fall silent are noticed within this.</summary>
    static readonly TimeSpan Steady = TimeSpan.FromSeconds(10);

    readonly ConcurrentDictionary<ObjectKey, string> errors = new();

    public async Task<Result> ReconcileAsync(StoreCluster entity, CancellationToken cancellation)
    {
        var key = ObjectStore<StoreCluster>.KeyOf(entity);
        var view = await observer.ObserveAsync(entity, cancellation);
        var diagnosis = Diagnosis.Of(view);
        var plan = Planner.Decide(diagnosis);
        var step = plan.Step is Step.MintToken mint ? new Step.LatchToken(mint.Recovered ?? NewToken(), mint.Tls, mint.Bootstrap, mint.Restore) { Epoch = mint.Epoch } : plan.Step;
        if (step is not null) Log.Stepping(log, key, plan.Rule, Words(step));

        // Status goes first: whatever becomes of the step, what was seen is told.
        var status = StatusReport.Build(diagnosis, plan, errors.GetValueOrDefault(key));
        if (step is Step.Journal journal) status = journal.Record(status, view.ObservedAt);
        if (await statuses.WriteAsync(entity, status, cancellation) is { } unwritten) return unwritten;
        Measure(key, diagnosis, plan);
        if (step is Step.Journal)
        {
            Measure(entity.Status?.Operation, status.Operation, view.ObservedAt);
            CertificateEvents.Tell(events, entity, step);
            errors.TryRemove(key, out _);
            return Result.After(Soon);
        }

        return step is null ? Rest(key, diagnosis, plan) : await ExecuteAsync(entity, view, plan, step, cancellation);
    }

    public void Forget(ObjectKey key)
    {
        errors.TryRemove(key, out _);
        metrics.RolledOut(key, ratio: null);
        metrics.Backups.RecoverableUntil(key, until: null);
        tokens.ForgetAll(key);
        observer.Forget(key);
    }

    async Task<Result> ExecuteAsync(StoreCluster entity, ClusterView view, Plan plan, Step step, CancellationToken cancellation)
    {
        var key = ObjectStore<StoreCluster>.KeyOf(entity);
        var error = await executor.ExecuteAsync(view, step, cancellation);
        Telemetry.Stepped(step.GetType().Name, error is null);
        if (error is null)
        {
            CertificateEvents.Tell(events, entity, step);
            errors.TryRemove(key, out _);
            return Result.After(Soon);
        }

        Log.StepFailed(log, key, plan.Rule, error);
        events.Warning(entity, "StepFailed", $"{plan.Rule}: {error}");
        errors[key] = $"{plan.Rule}: {error}";
        // The store's refusals are part of its protocol ("unhealthy cluster" for the first seconds of a new voter): ask again soon, at a calm pace.
        return step is Step.AddLearner or Step.Promote or Step.RemoveMember or Step.MoveLeader ? Result.After(Waiting) : Result.Fail(error) with { Logged = true };
    }

    void Measure(ObjectKey key, Diagnosis diagnosis, Plan plan)
    {
        var pods = diagnosis.Members.Where(member => member.Pod is not null).ToList();
        metrics.RolledOut(key, pods.Count == 0 ? null : (double)pods.Count(member => !member.Outdated) / pods.Count);
        metrics.Backups.RecoverableUntil(key, diagnosis.View.RecoverableUntil);
        if (plan.Blocked.Any(blocked => blocked.Reason == "InvalidSpec")) Telemetry.EndedForGood();
    }

    static void Measure(OperationStatus? before, OperationStatus? now, DateTime at)
    {
        if (before is { StartedAt: { } began } && now is null) Telemetry.OperationFinished(before.Kind, at - began);
        if (before is null && now is not null) Telemetry.OperationStarted(now.Kind);
    }

    Result Rest(ObjectKey key, Diagnosis diagnosis, Plan plan)
    {
        var cleared = errors.TryRemove(key, out _);
        if (cleared) return Result.After(Soon);
        var waits = plan.Blocked.Any(blocked => !ForPeople.Contains(blocked.Reason)) || diagnosis.Members.Any(member => !member.Ready);
        return waits ? Result.After(Waiting) : Result.After(Steady);
    }

    /// <summary>For the log: objects by their name, and nothing of what Secrets hold.</summary>
    static string Words(Step step) => step switch
    {
        Step.Apply apply => $"Apply {apply.Object.Kind} {apply.Object.Metadata.Name}",
        Step.MintAuthority mint => $"MintAuthority {mint.Side}{(mint.Beside is null ? "" : " (next)")}",
        _ => step.ToString(),
    };

    static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
}
