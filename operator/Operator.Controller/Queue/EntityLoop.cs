using System.Collections.Concurrent;
using k8s;
using k8s.Models;

namespace Operator.Controller;

/// <summary>Workers that take keys off the queue and have the controller reconcile them.</summary>
sealed class EntityLoop<T>(WorkQueue queue, ObjectStore<T> store, TimeProvider time, ILogger log) where T : class, IKubernetesObject<V1ObjectMeta>
{
    static readonly TimeSpan PassMost = TimeSpan.FromSeconds(60);

    readonly ConcurrentDictionary<ObjectKey, string> refusals = new();

    public Task RunAsync(IEntityController<T> controller, int workers, CancellationToken cancellation) =>
        Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => WorkAsync(controller, cancellation), CancellationToken.None)));

    async Task WorkAsync(IEntityController<T> controller, CancellationToken cancellation)
    {
        while (true)
        {
            ObjectKey key;
            try
            {
                key = await queue.TakeAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await PassAsync(controller, key, cancellation);
            }
            finally
            {
                queue.Done(key);
            }
        }
    }

    async Task PassAsync(IEntityController<T> controller, ObjectKey key, CancellationToken cancellation)
    {
        if (store.Get(key) is not { } entity)
        {
            queue.Forget(key);
            refusals.TryRemove(key, out _);
            controller.Forget(key);
            return;
        }

        var started = time.GetTimestamp();
        Telemetry.Started();
        try
        {
            using var limit = new CancellationTokenSource(PassMost, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
            var result = await controller.ReconcileAsync(entity, either.Token);
            Telemetry.Finished(result switch { { Error: not null } => "error", { Again: not null } => "requeue_after", _ => "success" }, time.GetElapsedTime(started));
            LogRefusal(key, result);
            Schedule(key, result);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Telemetry.Finished("requeue", time.GetElapsedTime(started));
        }
        catch (Exception failure)
        {
            // One object's bad luck must not take the others' worker with it.
            Log.PassFailed(log, failure, key);
            if (failure is OperationCanceledException) Telemetry.BrokenOff();
            Telemetry.Finished("error", time.GetElapsedTime(started), unexpected: failure is not (HttpRequestException or IOException or OperationCanceledException));
            queue.AddRateLimited(key);
        }
    }

    /// <summary>Once, and again only when it is another, or after a pass that went well: it is tried for as long as it takes.</summary>
    void LogRefusal(ObjectKey key, Result result)
    {
        if (result is not { Error: { } error, Logged: false }) refusals.TryRemove(key, out _);
        else if (refusals.GetValueOrDefault(key) != error) Log.Refused(log, typeof(T).Name, key, refusals[key] = error);
    }

    void Schedule(ObjectKey key, Result result)
    {
        if (result.Error is not null)
        {
            queue.AddRateLimited(key);
            if (result.Again is { } latest) queue.AddAfter(key, latest);
            return;
        }

        queue.Forget(key);
        if (result.Again is { } delay) queue.AddAfter(key, delay);
    }
}
