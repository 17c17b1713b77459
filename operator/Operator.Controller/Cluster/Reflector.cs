using System.Net;
using System.Text.Json;
using k8s;
using k8s.Models;

namespace Operator.Controller;

/// <summary>Keeps a store equal to a collection of the API server: lists, watches from there, and never stops trying.</summary>
sealed class Reflector<T>(
    KubeApi api, string? @namespace, string? labels, ObjectStore<T> store, Action<ObjectKey> changed, TimeProvider time, ILogger log)
    : IReflector where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Bookmarks come about once a minute where anything is written at all; a watch without a line for 90 s is opened anew.</summary>
    public static readonly TimeSpan IdleMost = TimeSpan.FromSeconds(90);

    static readonly TimeSpan BackOffMost = TimeSpan.FromSeconds(30);
    readonly TaskCompletionSource synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long lastSeen = time.GetTimestamp();
    int failures;

    public string Kind { get; } = ResourceKind.Of<T>().Kind;

    /// <summary>Completes when the first list is in the store.</summary>
    public Task Synced => synced.Task;

    public TimeSpan Silence => time.GetElapsedTime(Interlocked.Read(ref lastSeen));

    public int Count => store.Count;

    public async Task RunAsync(CancellationToken cancellation)
    {
        string? version = null;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                version ??= await ListAsync(cancellation);
                version = version is null ? null : await WatchAsync(version, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or TimeoutException or JsonException or KeyNotFoundException)
            {
                // From the last version seen; if the server has forgotten it, it says so, and the next turn lists.
                Log.WatchFailed(log, Kind, failure.Message);
                await PauseAsync(cancellation);
            }
        }
    }

    async Task<string?> ListAsync(CancellationToken cancellation)
    {
        var items = new List<T>();
        string? next = null;
        string version;
        do
        {
            var page = await api.ListAsync<T>(@namespace, labels, next, cancellation);
            if (page.Error is { } error)
            {
                Log.ListFailed(log, Kind, error.ToString());
                await PauseAsync(cancellation);
                return null;
            }

            if (page.Value!.Unreadable > 0) Log.Unreadable(log, Kind, page.Value.Unreadable);
            items.AddRange(page.Value.Items);
            version = page.Value.ResourceVersion;
            next = page.Value.Continue;
        }
        while (next is not null);

        Telemetry.Relisted(Kind);
        var gone = store.Replace(items, version, item => @namespace is null || item.Metadata.NamespaceProperty == @namespace);
        foreach (var item in items.Concat(gone)) Announce(item);
        Seen();
        synced.TrySetResult();
        return version;
    }

    /// <returns>The version to go on from, or null when the server no longer knows it.</returns>
    async Task<string?> WatchAsync(string version, CancellationToken cancellation)
    {
        // Not all at once: the server ends each watch after a different time.
        var seconds = Random.Shared.Next(240, 480);
        using var response = await api.OpenWatchAsync<T>(@namespace, labels, version, seconds, cancellation);
        if (!response.IsSuccessStatusCode) return await RefusedAsync(await KubeApi.ReadErrorAsync(response, cancellation), version, cancellation);
        // A server that opens the watch is there, also when it has nothing to tell: of a kind that nobody writes there are no bookmarks either.
        Seen();
        using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        await foreach (var change in WatchReader.ReadAsync<T>(stream, IdleMost, time, cancellation))
        {
            if (change.Kind == WatchEventKind.Error) return await RefusedAsync(change.Error!, version, cancellation);
            Seen();
            Take(change);
            version = change.ResourceVersion ?? version;
        }

        return version;
    }

    async Task<string?> RefusedAsync(ApiError error, string version, CancellationToken cancellation)
    {
        Log.WatchFailed(log, Kind, error.ToString());
        // 410 as a status or as a line in the stream; 504 and its like mean try again.
        if (error.Gone || error.Status == HttpStatusCode.BadRequest) return null;
        await PauseAsync(cancellation);
        return version;
    }

    void Take(WatchEvent<T> change)
    {
        if (change.Object is not { } item)
        {
            if (change.Kind != WatchEventKind.Bookmark) Log.Unreadable(log, Kind, 1);
            return;
        }

        if (change.Kind == WatchEventKind.Delete) store.Remove(item);
        else store.Upsert(item);
        Announce(item);
    }

    void Announce(T item)
    {
        if (store.OwnerOf(item) is { } owner) changed(owner);
    }

    void Seen()
    {
        failures = 0;
        Interlocked.Exchange(ref lastSeen, time.GetTimestamp());
    }

    Task PauseAsync(CancellationToken cancellation)
    {
        var most = Math.Min(BackOffMost.TotalSeconds, 0.2 * Math.Pow(2, Math.Min(failures++, 10)));
        return Task.Delay(TimeSpan.FromSeconds(most * (0.5 + Random.Shared.NextDouble() / 2)), time, cancellation);
    }
}

/// <summary>A reflector whatever its kind: what health and start-up ask of it.</summary>
interface IReflector
{
    string Kind { get; }
    Task Synced { get; }
    TimeSpan Silence { get; }
    int Count { get; }
    Task RunAsync(CancellationToken cancellation);
}
