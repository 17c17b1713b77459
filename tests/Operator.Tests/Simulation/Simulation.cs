using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using Microsoft.Extensions.Time.Testing;
using Operator.Controller;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>A Kubernetes with a store in it and the operator at work on it, in one thread and on virtual time. With a seed, who leads, how long things take and
/// what watches deliver is thrown; without one it is always the same.</summary>
sealed class Simulation : IDisposable
{
    public const string Namespace = "shop";
    public const string Image = "localhost/store:dev";
    readonly FakeTimeProvider time;
    readonly ObjectTable table;
    readonly Random? chance;
    readonly List<SimulatedOperator> operators = [];
    readonly Watches watches;
    readonly TimeSpan tick;

    /// <param name="tick">How long everybody waits between two turns; a fifth of a second when absent.</param>
    /// <param name="begin">When it begins; some day when absent.</param>
    /// <param name="network">The first half of pods' addresses.</param>
    public Simulation(int? seed = null, Watches watches = Watches.Prompt, int operators = 1, TimeSpan? tick = null, DateTimeOffset? begin = null, string network = "10.1")
    {
        time = new FakeTimeProvider(begin ?? new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero));
        this.tick = tick ?? TimeSpan.FromMilliseconds(200);
        chance = seed is { } given ? new Random(given) : null;
        this.watches = watches;
        table = new ObjectTable(time);
        Store = new SimulatedStore(time, chance);
        Tls = new SimulatedTls(table, Store, time);
        Kubernetes = new SimulatedKubernetes(table, Store, time, chance) { Network = network };
        Conduct = new OperatorConduct(this, time);
        Writes.Watcher = Conduct.Watch;
        for (var number = 0; number < operators; number++) this.operators.Add(NewOperator());
    }

    public WriteLog Writes { get; } = new();

    public SimulatedStore Store { get; }

    public SimulatedKubernetes Kubernetes { get; }

    public SimulatedTls Tls { get; }

    /// <summary>Null while it is not installed.</summary>
    public SimulatedCertManager? CertManager { get; private set; }

    public ObjectTable Table => table;

    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>How often the operator died.</summary>
    public int Crashes { get; private set; }

    public static ObjectKey Key(string name) => new(Namespace, name);

    /// <summary>What operators tell people arrives.</summary>
    public void SendEvents() => operators.ForEach(one => one.SendEvents());

    /// <summary>Those of the first operator.</summary>
    public ClusterMetrics Metrics => operators[0].Metrics;

    /// <summary>What operators did that they must not do, whatever is wanted.</summary>
    public OperatorConduct Conduct { get; }

    /// <summary>kubectl apply: makes the StoreCluster or changes its spec.</summary>
    public void Apply(string name, StoreClusterSpec spec) => Apply(name, JsonNode.Parse(KubernetesJson.Serialize(spec))!);

    /// <param name="wanted">With the schema's defaults filled in.</param>
    public void Apply(string name, JsonNode wanted)
    {
        if (table.Get("storeclusters", Key(name)) is { } there)
        {
            var changed = (JsonObject)there.DeepClone();
            changed["spec"] = wanted.DeepClone();
            table.Put("storeclusters", changed);
            return;
        }

        table.Create("storeclusters", new JsonObject
        {
            ["apiVersion"] = StoreCluster.ApiVersionText,
            ["kind"] = StoreCluster.KindText,
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace },
            ["spec"] = wanted.DeepClone(),
        });
    }

    public void InstallCertManager()
    {
        table.Unknown.Remove("certificates");
        CertManager = new SimulatedCertManager(table, time);
    }

    /// <summary>Has a backup taken.</summary>
    public void Backup(string name, string cluster) => table.Create("storebackups", new JsonObject
    {
        ["apiVersion"] = StoreCluster.ApiVersionText,
        ["kind"] = "StoreBackup",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace },
        ["spec"] = new JsonObject { ["cluster"] = cluster },
    });

    /// <summary>Has backups taken at the times of a cron expression.</summary>
    public void Schedule(string name, string cluster, string cron, int succeeded) => table.Create("storebackupschedules", new JsonObject
    {
        ["apiVersion"] = StoreCluster.ApiVersionText,
        ["kind"] = StoreBackupSchedule.KindText,
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace },
        ["spec"] = new JsonObject { ["cluster"] = cluster, ["schedule"] = cron, ["historyLimit"] = new JsonObject { ["succeeded"] = succeeded } },
    });

    /// <summary>Asks to take a cluster back; with the words of its status it is confirmed later.</summary>
    public void Restore(string name, StoreRestoreSpec spec) => table.Create("storerestores", new JsonObject
    {
        ["apiVersion"] = StoreCluster.ApiVersionText,
        ["kind"] = StoreRestore.KindText,
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace },
        ["spec"] = JsonNode.Parse(KubernetesJson.Serialize(spec)),
    });

    public void Confirm(string name, string words)
    {
        var changed = (JsonObject)table.Get("storerestores", Key(name))!.DeepClone();
        changed["spec"]!["confirm"] = words;
        table.Put("storerestores", changed);
    }

    public StoreRestore Restore(string name) => KubernetesJson.Deserialize<StoreRestore>(table.Get("storerestores", Key(name))!.ToJsonString());

    public void RunUntilRestore(string name, string phase) => RunUntil(() => Restore(name).Status?.Phase == phase, TimeSpan.FromMinutes(10), () => $"{Restore(name).Status}\n{Describe(Restore(name).Spec.Cluster)}");

    public StoreBackup Backup(string name) => KubernetesJson.Deserialize<StoreBackup>(table.Get("storebackups", Key(name))!.ToJsonString());

    public void Delete(string plural, string name) => table.Delete(plural, Key(name));

    public StoreCluster Cluster(string name) => KubernetesJson.Deserialize<StoreCluster>(table.Get("storeclusters", Key(name))!.ToJsonString());

    /// <summary>Whether this member's StatefulSet exists.</summary>
    public bool Has(string member) => table.Get("statefulsets", Key(member)) is not null;

    /// <summary>Ready for the spec as it is now, with nothing under way.</summary>
    public bool IsSettled(string name)
    {
        var cluster = Cluster(name);
        return cluster.Status is { Operation: null, Blocked: null } status
            && status.ObservedGeneration == cluster.Metadata.Generation
            && Says(status, ConditionTypes.Ready, "True") && Says(status, ConditionTypes.Progressing, "False");
    }

    public bool Says(string name, string type, string wanted) => Cluster(name).Status is { } status && Says(status, type, wanted);

    static bool Says(StoreClusterStatus status, string type, string wanted) =>
        status.Conditions?.Any(condition => condition.Type == type && condition.Status == wanted) == true;

    public void RunUntil(Func<bool> reached, TimeSpan limit, Func<string> state)
    {
        var deadline = time.GetUtcNow() + limit;
        while (!reached())
        {
            if (time.GetUtcNow() >= deadline) Assert.Fail($"not within {limit.TotalSeconds:0} s of virtual time: {state()}");
            Tick(tick);
        }

        RequireNoHarm();
    }

    /// <summary>Applies it with backups to a bucket, and runs until there is one.</summary>
    public void ApplyBackedUp(string name, StoreClusterSpec spec)
    {
        Store.Backups.Buckets.Add("backups");
        Apply(name, Scenario.BackedUp(spec, "backups"));
        RunUntilBackedUp(name);
    }

    public void RunUntilBackedUp(string name, int minutes = 5) =>
        RunUntil(() => IsSettled(name) && Says(name, ConditionTypes.BackupReady, "True"), TimeSpan.FromMinutes(minutes), () => Describe(name));

    public void RunUntilSettled(string name, int minutes = 10) => RunUntil(() => IsSettled(name), TimeSpan.FromMinutes(minutes), () => Describe(name));

    public void Run(TimeSpan duration)
    {
        for (var end = time.GetUtcNow() + duration; time.GetUtcNow() < end;) Tick(tick);
        RequireNoHarm();
    }

    /// <summary>One turn for everybody, up to this moment.</summary>
    public void RunTo(DateTimeOffset moment)
    {
        if (moment > time.GetUtcNow()) Tick(moment - time.GetUtcNow());
    }

    /// <summary>The operators in here end: what comes to pass now is another process's doing.</summary>
    public void EndOperators()
    {
        foreach (var one in operators) one.Dispose();
        operators.Clear();
    }

    /// <summary>Until operators have written nothing for so long. The longer nothing happens, the longer is everybody's turn.</summary>
    /// <param name="isNoNews">Says of a write that it does not count; none is when absent.</param>
    /// <returns>Whether that came about within the limit.</returns>
    public bool RunUntilQuiet(TimeSpan quiet, TimeSpan limit, Func<string, bool>? isNoNews = null)
    {
        var (begun, last, writes) = (time.GetUtcNow(), time.GetUtcNow(), Writes.Writes.Count);
        while (time.GetUtcNow() - last < quiet)
        {
            if (time.GetUtcNow() - begun > limit) return false;
            var idle = time.GetUtcNow() - last;
            Tick(idle < TimeSpan.FromSeconds(10) ? tick : idle < TimeSpan.FromSeconds(60) ? 5 * tick : idle < TimeSpan.FromMinutes(10) ? 25 * tick : 150 * tick);
            var news = Writes.Writes.Skip(writes).Any(write => isNoNews?.Invoke(write) != true);
            writes = Writes.Writes.Count;
            if (news) last = time.GetUtcNow();
        }

        RequireNoHarm();
        return true;
    }

    public void RequireNoHarm()
    {
        Assert.Empty(Store.Violations);
        Assert.Empty(Conduct.Violations);
    }

    /// <summary>kubectl create secret generic, or with another password: makes the Secret or changes it.</summary>
    public void Secret(string name, string password) => Secret(name, new Dictionary<string, byte[]> { ["password"] = Encoding.UTF8.GetBytes(password) });

    /// <inheritdoc cref="Secret(string, string)"/>
    public void Secret(string name, IDictionary<string, byte[]> entries)
    {
        var data = new JsonObject(entries.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)Convert.ToBase64String(entry.Value))));
        if (table.Get("secrets", Key(name)) is { } there)
        {
            var changed = (JsonObject)there.DeepClone();
            changed["data"] = data;
            table.Put("secrets", changed);
            return;
        }

        table.Create("secrets", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace }, ["data"] = data });
    }

    public string Describe(string name) =>
        $"{JsonSerializer.Serialize(Cluster(name).Status?.Conditions?.Select(condition => $"{condition.Type}={condition.Status} {condition.Reason}: {condition.Message}"))}\n"
        + $"writes: {string.Join(", ", Writes.Writes.TakeLast(12))}";

    public void Dispose() => EndOperators();

    void Tick(TimeSpan turn)
    {
        time.Advance(turn);
        Kubernetes.Tick();
        CertManager?.Tick();
        Store.Tick();
        Conduct.Look();
        Tls.Tick();
        for (var number = 0; number < operators.Count; number++)
        {
            operators[number].Deliver(watches);
            try
            {
                operators[number].Work();
            }
            catch (OperatorCrash) when (Writes.Crashed)
            {
                // Seen below, for not every caller lets it through: gRPC makes its own exception of it.
            }

            if (Writes.Crashed) Restart(number);
        }
    }

    void Restart(int number)
    {
        Crashes++;
        operators[number].Dispose();
        Writes.Crashed = false;
        Writes.CrashAt = null;
        operators[number] = NewOperator();
    }

    SimulatedOperator NewOperator() => new(table, Store, Tls, Writes, Image, time, chance);
}
