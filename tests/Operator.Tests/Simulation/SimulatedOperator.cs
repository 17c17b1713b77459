using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Operator.Controller;
using Operator.Core;

namespace Operator.Tests;

/// <summary>How far behind the truth an operator's caches are.</summary>
internal enum Watches
{
    /// <summary>Every event at once.</summary>
    Prompt,

    /// <summary>Each kind for itself stands still for a while, and then has several events of one object as one.</summary>
    Lagging,
}

/// <summary>One process of the operator: the real controller over the simulated API server and members. A new instance is a restarted process.</summary>
internal sealed class SimulatedOperator : IDisposable
{
    private readonly ObjectTable _table;
    private readonly TimeProvider _time;
    private readonly Random? _chance;
    private readonly Caches _caches;
    private readonly MemberClient _members;
    private readonly Fence _fence;
    private readonly StoreClusterController _controller;
    private readonly StoreBackupController _backups;
    private readonly Dictionary<ObjectKey, DateTimeOffset> _dueBackups = [];
    private readonly Dictionary<ObjectKey, DateTimeOffset> _due = [];
    private readonly Dictionary<ObjectKey, int> _failures = [];
    private readonly List<Feed> _feeds = [];

    private sealed record Feed(string Plural, Action<Change> Take)
    {
        public int Read { get; set; }
    }

    public SimulatedOperator(ObjectTable table, SimulatedStore store, SimulatedTls tls, WriteLog writes, string image, TimeProvider time, Random? chance)
    {
        (_table, _time, _chance) = (table, time, chance);
        var log = NullLogger.Instance;
        var api = new KubeApi(new HttpClient(new SimulatedApi(table, writes)), new Uri("http://simulated/"), null);
        _caches = new Caches(api, [], _ => { }, _ => { }, time, log);
        HttpMessageHandler Dial(MemberEndpoint endpoint, Action<string>? shown) => new SimulatedMembers(store, tls, writes, endpoint, shown);
        _members = new MemberClient(time, Dial);
        _fence = Fence.Open(time, CancellationToken.None);
        var events = new EventRecorder(api, "simulated", time, log);
        var (users, tokens) = (new UserClient(_members), new LoginTokens(time));
        var (authentication, agents) = (new AuthObserver(api, users, tokens), new AgentClient(Dial));
        _backups = new StoreBackupController(api, _caches, agents, authentication, _fence, time);
        _controller = new StoreClusterController(
            new Observer(api, _caches, _members, agents, authentication, new HandshakeProbe(Dial), image, time),
            new Executor(api, _caches, _members, new AuthExecutor(api, _members, users, authentication, tokens), tokens, _fence),
            new StatusWriter(api, _caches.Clusters, _fence, events, log), tokens, events, log);
        Watch("storeclusters", _caches.Clusters);
        Watch("statefulsets", _caches.StatefulSets);
        Watch("pods", _caches.Pods);
        Watch("persistentvolumeclaims", _caches.Claims);
        Watch("services", _caches.Services);
        Watch("poddisruptionbudgets", _caches.Budgets);
        Watch("storebackups", _caches.Backups, _dueBackups);
        // A process begins with a list of everything.
        foreach (var feed in _feeds) Deliver(feed, _table.History.Count);
    }

    /// <summary>Events up to now, or as many as the watches happen to give.</summary>
    public void Deliver(Watches watches)
    {
        foreach (var feed in _feeds)
        {
            if (watches == Watches.Lagging && _chance!.NextDouble() < 0.8) continue;
            var upTo = watches == Watches.Prompt ? _table.History.Count : feed.Read + _chance!.Next(_table.History.Count - feed.Read + 1);
            Deliver(feed, upTo);
        }
    }

    /// <summary>Has the controller look at every StoreCluster that is due.</summary>
    public void Work()
    {
        var now = _time.GetUtcNow();
        foreach (var (key, _) in _due.Where(pair => pair.Value <= now).OrderBy(pair => pair.Key.ToString(), StringComparer.Ordinal).ToList())
        {
            _due.Remove(key);
            if (_caches.Clusters.Get(key) is not { } cluster)
            {
                _controller.Forget(key);
                continue;
            }

            var result = _controller.ReconcileAsync(cluster, CancellationToken.None).GetAwaiter().GetResult();
            if (result.Error is not null) Schedule(key, now + BackOff.After(_failures[key] = _failures.GetValueOrDefault(key) + 1));
            else if (_failures.Remove(key) || result.Again is not null) Schedule(key, now + (result.Again ?? TimeSpan.Zero));
        }

        WorkOnBackups(now);
    }

    private void WorkOnBackups(DateTimeOffset now)
    {
        foreach (var (key, _) in _dueBackups.Where(pair => pair.Value <= now).ToList())
        {
            _dueBackups.Remove(key);
            if (_caches.Backups.Get(key) is not { } backup) continue;
            var result = _backups.ReconcileAsync(backup, CancellationToken.None).GetAwaiter().GetResult();
            if (result.Error is not null || result.Again is not null) Schedule(_dueBackups, key, now + (result.Again ?? BackOff.After(5)));
        }
    }

    public void Dispose()
    {
        _members.Dispose();
        _fence.Dispose();
    }

    private void Watch<T>(string plural, ObjectStore<T> store, Dictionary<ObjectKey, DateTimeOffset>? due = null) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        void Take(Change change)
        {
            var item = KubernetesJson.Deserialize<T>(change.Object.ToJsonString());
            if (change.Deleted) store.Remove(item);
            else store.Upsert(item);
            if (store.OwnerOf(item) is { } owner) Schedule(due ?? _due, owner, _time.GetUtcNow());
        }

        _feeds.Add(new Feed(plural, Take));
    }

    /// <summary>Of several events of one object, the last: so a watch that fell behind and lists again sees it.</summary>
    private void Deliver(Feed feed, int upTo)
    {
        var last = new Dictionary<ObjectKey, Change>();
        for (; feed.Read < upTo; feed.Read++)
        {
            var change = _table.History[feed.Read];
            if (change.Plural == feed.Plural && IsSelected(change)) last[change.Key] = change;
        }

        foreach (var change in last.Values.OrderBy(change => change.Version)) feed.Take(change);
    }

    private static bool IsSelected(Change change) => change.Plural is "storeclusters" or "storebackups"
        || (string?)(change.Object["metadata"]!["labels"] as JsonObject)?[Labels.ManagedBy] == "store-operator";

    private void Schedule(ObjectKey key, DateTimeOffset at) => Schedule(_due, key, at);

    private static void Schedule(Dictionary<ObjectKey, DateTimeOffset> due, ObjectKey key, DateTimeOffset at)
    {
        if (!due.TryGetValue(key, out var there) || at < there) due[key] = at;
    }
}
