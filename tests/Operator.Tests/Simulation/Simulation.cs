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
        Kubernetes = new SimulatedKubernetes(_table, Store, _time, _chance);
        for (var number = 0; number < operators; number++) _operators.Add(NewOperator());
    }

    public WriteLog Writes { get; } = new();

    public SimulatedStore Store { get; }

    public SimulatedKubernetes Kubernetes { get; }

    public ObjectTable Table => _table;

    /// <summary>How often the operator died.</summary>
    public int Crashes { get; private set; }

    public static ObjectKey Key(string name) => new(Namespace, name);

    /// <summary>kubectl apply: makes the StoreCluster or changes its spec.</summary>
    public void Apply(string name, StoreClusterSpec spec)
    {
        var wanted = JsonNode.Parse(KubernetesJson.Serialize(spec))!;
        if (_table.Get("storeclusters", Key(name)) is { } there)
        {
            var changed = (JsonObject)there.DeepClone();
            changed["spec"] = wanted;
            _table.Put("storeclusters", changed);
            return;
        }

        _table.Create("storeclusters", new JsonObject
        {
            ["apiVersion"] = StoreCluster.ApiVersionText,
            ["kind"] = StoreCluster.KindText,
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace },
            ["spec"] = wanted,
        });
    }

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

    private static bool Says(StoreClusterStatus status, string type, string wanted) =>
        status.Conditions?.Any(condition => condition.Type == type && condition.Status == wanted) == true;

    public void RunUntil(Func<bool> reached, TimeSpan limit, Func<string> state)
    {
        var deadline = _time.GetUtcNow() + limit;
        while (!reached())
        {
            if (_time.GetUtcNow() >= deadline) Assert.Fail($"not within {limit.TotalSeconds:0} s of virtual time: {state()}");
            Tick();
        }

        Assert.Empty(Store.Violations);
    }

    public void RunUntilSettled(string name, int minutes = 10) => RunUntil(() => IsSettled(name), TimeSpan.FromMinutes(minutes), () => Describe(name));

    public void Run(TimeSpan duration)
    {
        for (var end = _time.GetUtcNow() + duration; _time.GetUtcNow() < end;) Tick();
        Assert.Empty(Store.Violations);
    }

    /// <summary>What is there in the end, without what is different each time: ids, times, addresses, who leads.</summary>
    public string State()
    {
        var state = new JsonObject();
        var tokens = Store.Groups.Select(group => group.Token).ToList();
        foreach (var (plural, item) in _table.All)
        {
            var copy = (JsonObject)item.DeepClone();
            Strip(copy);
            // The operator throws the password of its own Secret.
            if (plural == "secrets" && copy["metadata"]!["labels"] is not null) copy.Remove("data");
            var text = tokens.Aggregate(copy.ToJsonString(), (text, token) => text.Replace(token, "TOKEN", StringComparison.Ordinal));
            state[$"{plural}/{ObjectTable.KeyOf(item).Name}"] = JsonNode.Parse(text);
        }

        foreach (var member in Store.Groups.SelectMany(group => group.Members)) state[$"member/{member.Name}"] = member.Learner ? "learner" : "voter";
        foreach (var users in Store.Groups.Select(group => group.Users))
        {
            state["authentication"] = users.Enabled ? "on" : "off";
            foreach (var (name, user) in users.Users) state[$"user/{name}"] = $"{(user.Password == LoginPassword ? "of the Secret" : user.Password)} {(user.Root ? "root" : "")}";
        }

        return state.ToJsonString(s_indented);
    }

    /// <summary>kubectl create secret generic, or with another password: makes the Secret or changes it.</summary>
    public void Secret(string name, string password)
    {
        var data = new JsonObject { ["password"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(password)) };
        if (_table.Get("secrets", Key(name)) is { } there)
        {
            var changed = (JsonObject)there.DeepClone();
            changed["data"] = data;
            _table.Put("secrets", changed);
            return;
        }

        _table.Create("secrets", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace }, ["data"] = data });
    }

    private string? LoginPassword => _table.Get("secrets", Key(Names.OperatorLogin(Scenario.Cluster)))?["data"]?["password"] is { } encoded
        ? Encoding.UTF8.GetString(Convert.FromBase64String((string)encoded!))
        : null;

    public string Describe(string name) =>
        $"{JsonSerializer.Serialize(Cluster(name).Status?.Conditions?.Select(condition => $"{condition.Type}={condition.Status} {condition.Reason}: {condition.Message}"))}\n"
        + $"writes: {string.Join(", ", Writes.Writes.TakeLast(12))}";

    public void Dispose()
    {
        foreach (var one in _operators) one.Dispose();
    }

    private void Tick()
    {
        _time.Advance(_tick);
        Kubernetes.Tick();
        Store.Tick();
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

    private SimulatedOperator NewOperator() => new(_table, Store, Writes, Image, _time, _chance);

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    private static readonly HashSet<string> s_volatile = new(StringComparer.Ordinal)
    {
        "uid", "resourceVersion", "creationTimestamp", "generation", "observedGeneration", "lastTransitionTime", "formedAt", "observedAt", "startedAt", "podIP", "clusterId",
        "memberId", "leader", "restartCount", "restarts", "term", "rootSecretVersion", Annotations.Applied,
    };

    private static void Strip(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list) Strip(item);
        }
        else if (node is JsonObject item)
        {
            foreach (var name in item.Select(pair => pair.Key).ToList())
            {
                if (s_volatile.Contains(name)) item.Remove(name);
                else Strip(item[name]);
            }
        }
    }
}
