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
internal sealed class Simulation : IDisposable
{
    public const string Namespace = "shop";
    public const string Image = "localhost/store:dev";
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero));
    private readonly ObjectTable _table;
    private readonly Random? _chance;
    private readonly List<SimulatedOperator> _operators = [];
    private readonly Watches _watches;
    private readonly TimeSpan _tick;

    /// <param name="tick">How long everybody waits between two turns; a fifth of a second when absent.</param>
    public Simulation(int? seed = null, Watches watches = Watches.Prompt, int operators = 1, TimeSpan? tick = null)
    {
        _tick = tick ?? TimeSpan.FromMilliseconds(200);
        _chance = seed is { } given ? new Random(given) : null;
        _watches = watches;
        _table = new ObjectTable(_time);
        Store = new SimulatedStore(_time, _chance);
        Tls = new SimulatedTls(_table, Store, _time);
        Kubernetes = new SimulatedKubernetes(_table, Store, _time, _chance);
        Conduct = new OperatorConduct(this, _time);
        Writes.Watcher = Conduct.Watch;
        for (var number = 0; number < operators; number++) _operators.Add(NewOperator());
    }

    public WriteLog Writes { get; } = new();

    public SimulatedStore Store { get; }

    public SimulatedKubernetes Kubernetes { get; }

    public SimulatedTls Tls { get; }

    /// <summary>Null while it is not installed.</summary>
    public SimulatedCertManager? CertManager { get; private set; }

    public ObjectTable Table => _table;

    public DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>How often the operator died.</summary>
    public int Crashes { get; private set; }

    public static ObjectKey Key(string name) => new(Namespace, name);

    /// <summary>What operators did that they must not do, whatever is wanted.</summary>
    public OperatorConduct Conduct { get; }

    /// <summary>kubectl apply: makes the StoreCluster or changes its spec.</summary>
    public void Apply(string name, StoreClusterSpec spec) => Apply(name, JsonNode.Parse(KubernetesJson.Serialize(spec))!);

    /// <param name="wanted">With the schema's defaults filled in.</param>
    public void Apply(string name, JsonNode wanted)
    {
        if (_table.Get("storeclusters", Key(name)) is { } there)
        {
            var changed = (JsonObject)there.DeepClone();
            changed["spec"] = wanted.DeepClone();
            _table.Put("storeclusters", changed);
            return;
        }

        _table.Create("storeclusters", new JsonObject
        {
            ["apiVersion"] = StoreCluster.ApiVersionText,
            ["kind"] = StoreCluster.KindText,
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace },
            ["spec"] = wanted.DeepClone(),
        });
    }

    public void InstallCertManager()
    {
        _table.Unknown.Remove("certificates");
        CertManager = new SimulatedCertManager(_table, _time);
    }

    /// <summary>Has a backup taken.</summary>
    public void Backup(string name, string cluster) => _table.Create("storebackups", new JsonObject
    {
        ["apiVersion"] = StoreCluster.ApiVersionText,
        ["kind"] = "StoreBackup",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace },
        ["spec"] = new JsonObject { ["cluster"] = cluster },
    });

    public StoreBackup Backup(string name) => KubernetesJson.Deserialize<StoreBackup>(_table.Get("storebackups", Key(name))!.ToJsonString());

    public void Delete(string plural, string name) => _table.Delete(plural, Key(name));

    public StoreCluster Cluster(string name) => KubernetesJson.Deserialize<StoreCluster>(_table.Get("storeclusters", Key(name))!.ToJsonString());

    /// <summary>Whether this member's StatefulSet exists.</summary>
    public bool Has(string member) => _table.Get("statefulsets", Key(member)) is not null;

    /// <summary>Ready for the spec as it is now, with nothing under way.</summary>
    public bool IsSettled(string name)
    {
        var cluster = Cluster(name);
        return cluster.Status is { Operation: null, Blocked: null } status
            && status.ObservedGeneration == cluster.Metadata.Generation
            && Says(status, ConditionTypes.Ready, "True") && Says(status, ConditionTypes.Progressing, "False");
    }

    public bool Says(string name, string type, string wanted) => Cluster(name).Status is { } status && Says(status, type, wanted);

    private static bool Says(StoreClusterStatus status, string type, string wanted) =>
        status.Conditions?.Any(condition => condition.Type == type && condition.Status == wanted) == true;

    public void RunUntil(Func<bool> reached, TimeSpan limit, Func<string> state)
    {
        var deadline = _time.GetUtcNow() + limit;
        while (!reached())
        {
            if (_time.GetUtcNow() >= deadline) Assert.Fail($"not within {limit.TotalSeconds:0} s of virtual time: {state()}");
            Tick(_tick);
        }

        RequireNoHarm();
    }

    public void RunUntilSettled(string name, int minutes = 10) => RunUntil(() => IsSettled(name), TimeSpan.FromMinutes(minutes), () => Describe(name));

    public void Run(TimeSpan duration)
    {
        for (var end = _time.GetUtcNow() + duration; _time.GetUtcNow() < end;) Tick(_tick);
        RequireNoHarm();
    }

    /// <summary>Until operators have written nothing for so long. The longer nothing happens, the longer is everybody's turn.</summary>
    /// <returns>Whether that came about within the limit.</returns>
    public bool RunUntilQuiet(TimeSpan quiet, TimeSpan limit)
    {
        var (begun, last, writes) = (_time.GetUtcNow(), _time.GetUtcNow(), Writes.Writes.Count);
        while (_time.GetUtcNow() - last < quiet)
        {
            if (_time.GetUtcNow() - begun > limit) return false;
            var idle = _time.GetUtcNow() - last;
            Tick(idle < TimeSpan.FromSeconds(10) ? _tick : idle < TimeSpan.FromSeconds(60) ? 5 * _tick : idle < TimeSpan.FromMinutes(10) ? 25 * _tick : 150 * _tick);
            if (Writes.Writes.Count == writes) continue;
            (last, writes) = (_time.GetUtcNow(), Writes.Writes.Count);
        }

        RequireNoHarm();
        return true;
    }

    private void RequireNoHarm()
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
        if (_table.Get("secrets", Key(name)) is { } there)
        {
            var changed = (JsonObject)there.DeepClone();
            changed["data"] = data;
            _table.Put("secrets", changed);
            return;
        }

        _table.Create("secrets", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace }, ["data"] = data });
    }

    public string Describe(string name) =>
        $"{JsonSerializer.Serialize(Cluster(name).Status?.Conditions?.Select(condition => $"{condition.Type}={condition.Status} {condition.Reason}: {condition.Message}"))}\n"
        + $"writes: {string.Join(", ", Writes.Writes.TakeLast(12))}";

    public void Dispose()
    {
        foreach (var one in _operators) one.Dispose();
    }

    private void Tick(TimeSpan turn)
    {
        _time.Advance(turn);
        Kubernetes.Tick();
        CertManager?.Tick();
        Store.Tick();
        Tls.Tick();
        for (var number = 0; number < _operators.Count; number++)
        {
            _operators[number].Deliver(_watches);
            try
            {
                _operators[number].Work();
            }
            catch (OperatorCrash) when (Writes.Crashed)
            {
                // Seen below, for not every caller lets it through: gRPC makes its own exception of it.
            }

            if (Writes.Crashed) Restart(number);
        }
    }

    private void Restart(int number)
    {
        Crashes++;
        _operators[number].Dispose();
        Writes.Crashed = false;
        Writes.CrashAt = null;
        _operators[number] = NewOperator();
    }

    /// <summary>One more process of the operator, that has read everything and has looked at every StoreCluster once.</summary>
    public SimulatedOperator AnotherOperator()
    {
        var another = NewOperator();
        another.Work();
        return another;
    }

    private SimulatedOperator NewOperator() => new(_table, Store, Tls, Writes, Image, _time, _chance);
}
