using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Operator.Controller;
using Operator.Core;

namespace Operator.Tests;

/// <summary>How far behind the truth an operator's caches are.</summary>
enum Watches
{
    /// <summary>Every event at once.</summary>
    Prompt,

    /// <summary>Each kind for itself stands still for a while (<see cref="SimulatedOperator.LagsAtMost"/>), and then has several events of one object as one.</summary>
    Lagging,
}

/// <summary>One process of the operator: the real controller over the simulated API server and members. A new instance is a restarted process.</summary>
sealed class SimulatedOperator : IDisposable
{
    /// <summary>So that who waits for a world at rest need not fear that its last event has yet to arrive.</summary>
    public static readonly TimeSpan LagsAtMost = TimeSpan.FromSeconds(30);

    readonly ObjectTable table;
    readonly TimeProvider time;
    readonly Random? chance;
    readonly Caches caches;
    readonly MemberClient members;
    readonly Fence fence;
    readonly EventRecorder events;
    readonly StoreClusterController controller;
    readonly StoreBackupController backups;
    readonly StoreBackupScheduleController schedules;
    readonly StoreRestoreController restores;
    readonly Dictionary<ObjectKey, DateTimeOffset> dueBackups = [];
    readonly Dictionary<ObjectKey, DateTimeOffset> dueSchedules = [];
    readonly Dictionary<ObjectKey, DateTimeOffset> dueRestores = [];
    readonly Dictionary<ObjectKey, DateTimeOffset> due = [];
    readonly Dictionary<ObjectKey, int> failures = [];
    readonly List<Feed> feeds = [];

    sealed record Feed(string Plural, Action<Change> Take)
    {
        public int Read { get; set; }

        /// <summary>When everything was last read.</summary>
        public DateTimeOffset CurrentAt { get; set; }
    }

    public SimulatedOperator(ObjectTable table, SimulatedStore store, SimulatedTls tls, WriteLog writes, string image, TimeProvider time, Random? chance)
    {
        (this.table, this.time, this.chance) = (table, time, chance);
        var log = NullLogger.Instance;
        var api = new KubeApi(new HttpClient(new SimulatedApi(table, writes)), new Uri("http://simulated/"), null);
        caches = new Caches(api, [], _ => { }, _ => { }, _ => { }, _ => { }, time, log);
        Metrics = new ClusterMetrics(caches.Clusters, caches.Schedules);
        HttpMessageHandler Dial(MemberEndpoint endpoint, Action<string>? shown) => new SimulatedMembers(store, tls, writes, endpoint, shown);
        members = new MemberClient(time, Dial);
        fence = Fence.Open(time, CancellationToken.None);
        events = new EventRecorder(api, "simulated", time, log);
        var (users, tokens) = (new UserClient(members), new LoginTokens(time));
        var (authentication, agents) = (new AuthObserver(api, users, tokens), new AgentClient(Dial));
        var fulls = new FullBackups(api, members, agents, authentication, fence, time);
        backups = new StoreBackupController(api, caches, agents, fulls, fence, time);
        schedules = new StoreBackupScheduleController(api, caches, fence, events, time);
        restores = new StoreRestoreController(api, caches, agents, fulls, fence, key => Schedule(key, time.GetUtcNow()), events, time);
        controller = new StoreClusterController(
            new Observer(api, caches, members, agents, authentication, new HandshakeProbe(Dial), image, time),
            new Executor(api, caches, members, new AuthExecutor(api, members, users, authentication, tokens), tokens, fence),
            new StatusWriter(api, caches.Clusters, fence, events, log), tokens, events, Metrics, log);
        Watch("storeclusters", caches.Clusters);
        Watch("statefulsets", caches.StatefulSets);
        Watch("pods", caches.Pods);
        Watch("persistentvolumeclaims", caches.Claims);
        Watch("services", caches.Services);
        Watch("poddisruptionbudgets", caches.Budgets);
        Watch("storebackups", caches.Backups, dueBackups);
        Watch("storebackupschedules", caches.Schedules, dueSchedules);
        Watch("storerestores", caches.Restores, dueRestores);
        // A process begins with a list of everything.
        foreach (var feed in feeds) Deliver(feed, this.table.History.Count);
    }

    public ClusterMetrics Metrics { get; }

    /// <summary>Events up to now, or as many as the watches happen to give.</summary>
    public void Deliver(Watches watches)
    {
        foreach (var feed in feeds)
        {
            if (feed.Read == table.History.Count) feed.CurrentAt = time.GetUtcNow();
            var late = time.GetUtcNow() - feed.CurrentAt >= LagsAtMost;
            if (watches == Watches.Lagging && !late && chance!.NextDouble() < 0.8) continue;
            Deliver(feed, watches == Watches.Prompt || late ? table.History.Count : feed.Read + chance!.Next(table.History.Count - feed.Read + 1));
        }
    }

    /// <summary>Has the controller look at every StoreCluster that is due.</summary>
    public void Work()
    {
        var now = time.GetUtcNow();
        foreach (var (key, _) in due.Where(pair => pair.Value <= now).OrderBy(pair => pair.Key.ToString(), StringComparer.Ordinal).ToList())
        {
            due.Remove(key);
            if (caches.Clusters.Get(key) is not { } cluster)
            {
                controller.Forget(key);
                continue;
            }

            var result = controller.ReconcileAsync(cluster, CancellationToken.None).GetAwaiter().GetResult();
            if (result.Error is not null) Schedule(key, now + BackOff.After(failures[key] = failures.GetValueOrDefault(key) + 1));
            else if (failures.Remove(key) || result.Again is not null) Schedule(key, now + (result.Again ?? TimeSpan.Zero));
        }

        WorkOn(caches.Backups, backups, dueBackups, now);
        WorkOn(caches.Schedules, schedules, dueSchedules, now);
        WorkOn(caches.Restores, restores, dueRestores, now);
    }

    /// <summary>Those that wait to be sent. They are no part of the conduct of an operator, so nobody does it otherwise.</summary>
    public void SendEvents()
    {
        using var stop = new CancellationTokenSource();
        var sending = events.RunAsync(stop.Token);
        stop.Cancel();
        sending.GetAwaiter().GetResult();
    }

    static void WorkOn<T>(ObjectStore<T> store, IEntityController<T> controller, Dictionary<ObjectKey, DateTimeOffset> due, DateTimeOffset now) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        foreach (var (key, _) in due.Where(pair => pair.Value <= now).ToList())
        {
            due.Remove(key);
            if (store.Get(key) is not { } item) continue;
            var result = controller.ReconcileAsync(item, CancellationToken.None).GetAwaiter().GetResult();
            if (result.Again is { } again) Schedule(due, key, now + again);
            if (result.Error is not null) Schedule(due, key, now + BackOff.After(5));
        }
    }

    public void Dispose()
    {
        members.Dispose();
        fence.Dispose();
    }

    void Watch<T>(string plural, ObjectStore<T> store, Dictionary<ObjectKey, DateTimeOffset>? due = null) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        void Take(Change change)
        {
            var item = KubernetesJson.Deserialize<T>(change.Object.ToJsonString());
            if (change.Deleted) store.Remove(item);
            else store.Upsert(item);
            if (store.OwnerOf(item) is { } owner) Schedule(due ?? this.due, owner, time.GetUtcNow());
        }

        feeds.Add(new Feed(plural, Take));
    }

    /// <summary>Of several events of one object, the last: so a watch that fell behind and lists again sees it.</summary>
    void Deliver(Feed feed, int upTo)
    {
        var last = new Dictionary<ObjectKey, Change>();
        for (; feed.Read < upTo; feed.Read++)
        {
            var change = table.History[feed.Read];
            if (change.Plural == feed.Plural && IsSelected(change)) last[change.Key] = change;
        }

        foreach (var change in last.Values.OrderBy(change => change.Version)) feed.Take(change);
    }

    static bool IsSelected(Change change) => change.Plural is "storeclusters" or "storebackups" or "storebackupschedules" or "storerestores"
        || (string?)(change.Object["metadata"]!["labels"] as JsonObject)?[Labels.ManagedBy] == "store-operator";

    void Schedule(ObjectKey key, DateTimeOffset at) => Schedule(due, key, at);

    static void Schedule(Dictionary<ObjectKey, DateTimeOffset> due, ObjectKey key, DateTimeOffset at)
    {
        if (!due.TryGetValue(key, out var there) || at < there) due[key] = at;
    }
}
