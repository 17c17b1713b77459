using k8s.Models;

namespace Operator.Controller;

/// <summary>One operator acts, the others wait: a Lease object, taken and renewed by compare-and-swap.</summary>
/// <remarks>
/// What is believed and what is not:
///   - The other holder's wall clock is never believed. A lease has run out when <em>this</em> process has seen the same version of it for its whole duration.
///   - Leadership is held up to a deadline on the monotonic clock, counted from <em>before</em> the renewal was sent, and shorter than the lease: the holder
///     stops writing before anybody else may start, also when the renewal hangs or the process was stopped for a while.
///   - A renewal that fails is tried again until that deadline. One lost packet must not cost the leadership.
/// </remarks>
sealed class LeaderLease(KubeApi api, ObjectKey key, string identity, TimeProvider time, ILogger log)
{
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan RenewDeadline = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    string? seenVersion;
    long seenAt;
    V1Lease? lease;

    /// <summary>Waits for the lease, runs <paramref name="lead"/> while it is held, and gives it back when that has ended.</summary>
    /// <returns>True when the lease was lost, false when <paramref name="cancellation"/> ended it.</returns>
    public async Task<bool> RunAsync(Func<Fence, Task> lead, CancellationToken cancellation)
    {
        var held = await AcquireAsync(cancellation);
        using var fence = new Fence(time, held + RenewDeadline.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond, cancellation);
        Telemetry.Leading(key.Name, true);
        Log.Leading(log, identity);
        using var renewing = CancellationTokenSource.CreateLinkedTokenSource(fence.Lost);
        var renewal = RenewAsync(fence, renewing.Token);
        try
        {
            await lead(fence);
        }
        finally
        {
            Telemetry.Leading(key.Name, false);
            await renewing.CancelAsync();
            await renewal;
        }

        if (!cancellation.IsCancellationRequested) return true;
        await ReleaseAsync();
        return false;
    }

    /// <returns>The timestamp from which the lease counts.</returns>
    async Task<long> AcquireAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var started = time.GetTimestamp();
            if (await TryAsync(TakeAsync, cancellation)) return started;
            await Task.Delay(Jittered(), time, cancellation);
        }
    }

    async Task RenewAsync(Fence fence, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Retry, time, cancellation);
                var started = time.GetTimestamp();
                if (await TryAsync(KeepAsync, cancellation)) fence.Extend(started, RenewDeadline);
            }
        }
        catch (OperationCanceledException)
        {
            // Leadership ended, one way or the other.
        }
    }

    async Task<bool> TryAsync(Func<CancellationToken, Task<bool>> attempt, CancellationToken cancellation)
    {
        try
        {
            return await attempt(cancellation);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            Log.LeaseFailed(log, failure.Message);
            return false;
        }
    }

    async Task<bool> TakeAsync(CancellationToken cancellation)
    {
        var there = await api.GetAsync<V1Lease>(key, cancellation);
        if (there.Error is { NotFound: true }) return Kept(await api.CreateAsync(Fresh(transitions: 0), cancellation));
        if (there.Value is not { } lease) return Refused(there.Error!);
        if (lease.Metadata.ResourceVersion != seenVersion) (seenVersion, seenAt) = (lease.Metadata.ResourceVersion, time.GetTimestamp());
        var duration = TimeSpan.FromSeconds(lease.Spec.LeaseDurationSeconds ?? 0);
        var free = string.IsNullOrEmpty(lease.Spec.HolderIdentity) || lease.Spec.HolderIdentity == identity || time.GetElapsedTime(seenAt) > duration;
        if (!free) return false;
        lease.Spec = Fresh((lease.Spec.LeaseTransitions ?? 0) + 1).Spec;
        return Kept(await api.ReplaceAsync(lease, cancellation));
    }

    async Task<bool> KeepAsync(CancellationToken cancellation)
    {
        var mine = lease!;
        mine.Spec.RenewTime = time.GetUtcNow().UtcDateTime;
        var answer = await api.ReplaceAsync(mine, cancellation);
        if (answer.Error is not { Conflict: true }) return Kept(answer);
        // Our own earlier renewal may have arrived though its answer did not: then the version is news, the holder is not.
        var there = await api.GetAsync<V1Lease>(key, cancellation);
        if (there.Value?.Spec.HolderIdentity == identity) lease = there.Value;
        return false;
    }

    async Task ReleaseAsync()
    {
        try
        {
            using var hurry = new CancellationTokenSource(TimeSpan.FromSeconds(3));
            var mine = lease!;
            mine.Spec.HolderIdentity = "";
            mine.Spec.LeaseDurationSeconds = 1;
            await api.ReplaceAsync(mine, hurry.Token);
            Log.Released(log, identity);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            Log.LeaseFailed(log, failure.Message);
        }
    }

    bool Kept(ApiResult<V1Lease> answer)
    {
        if (answer.Value is null) return Refused(answer.Error!);
        lease = answer.Value;
        return true;
    }

    bool Refused(ApiError error)
    {
        if (!error.Conflict) Log.LeaseFailed(log, error.ToString());
        return false;
    }

    V1Lease Fresh(int transitions)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return new V1Lease
        {
            ApiVersion = "coordination.k8s.io/v1",
            Kind = "Lease",
            Metadata = new V1ObjectMeta { Name = key.Name, NamespaceProperty = key.Namespace },
            Spec = new V1LeaseSpec
            {
                HolderIdentity = identity,
                LeaseDurationSeconds = (int)Duration.TotalSeconds,
                AcquireTime = now,
                RenewTime = now,
                LeaseTransitions = transitions,
            },
        };
    }

    static TimeSpan Jittered() => Retry * (0.8 + Random.Shared.NextDouble() * 0.4);
}
