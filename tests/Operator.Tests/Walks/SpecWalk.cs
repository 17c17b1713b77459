using System.Globalization;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>
/// A walk through the specs that the schema allows and forbids, in the manner of Acto (SOSP 2023): one change after the other is asked of a cluster, while operators die, watches lag, pods are
/// killed and disks are lost; after each the world has to come to rest where a fresh cluster with the same spec would be.
/// </summary>
internal sealed class SpecWalk : IDisposable
{
    /// <summary>An image that no registry has.</summary>
    public const string MissingTag = "typo";

    /// <summary>Longer than anything the operator waits for without saying so.</summary>
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(90);

    private readonly Random _chance;
    private readonly CrdAdmission _admission;
    private readonly Simulation _simulation;
    private readonly SpecChanges _changes;
    private readonly List<string> _story = [];
    private readonly List<JsonObject> _past = [];
    private JsonObject? _spec;
    private bool _nodeLost;

    public SpecWalk(int seed)
    {
        _chance = new Random(seed);
        var (cel, lagging, operators) = (_chance.Next(2) == 0, _chance.Next(2) == 0, _chance.Next(3) == 0 ? 2 : 1);
        _admission = new CrdAdmission(cel);
        _simulation = new Simulation(seed, lagging ? Watches.Lagging : Watches.Prompt, operators, TimeSpan.FromMilliseconds(400));
        _changes = new SpecChanges(_chance);
        Tell($"seed {seed}: {operators} operator{(operators > 1 ? "s that both believe they lead" : "")}, {(lagging ? "lagging" : "prompt")} watches, an API server {(cel ? "with" : "without")} CEL");
        Furnish(_simulation);
    }

    /// <summary>What a spec may name and is there, or is not: the image that is missing, the Secret that <see cref="FieldValues"/> names first.</summary>
    public static void Furnish(Simulation simulation)
    {
        simulation.Kubernetes.MissingImages.Add($"localhost/store:{MissingTag}");
        simulation.Secret("standard", "secret");
    }

    /// <summary>Everything that was done, for a failure's message.</summary>
    public string Story => string.Join('\n', _story);

    public int Steps { get; private set; }

    public int Refused { get; private set; }

    public void Run(int steps)
    {
        for (; Steps < steps; Steps++)
        {
            Ask();
            Disturb();
            Rest();
            LoseSomething();
        }

        // Long after, nothing has been written.
        var writes = _simulation.Writes.Writes.Count;
        if (Wanted().Paused || !IsRetrying()) Assert.True(_simulation.RunUntilQuiet(TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(31)), $"written at rest: {string.Join(", ", _simulation.Writes.Writes.Skip(writes))}");
    }

    public void Dispose() => _simulation.Dispose();

    /// <summary>One more wish; those that the API server refuses change nothing.</summary>
    private void Ask()
    {
        var (what, spec) = _spec is not null && _past.Count > 1 && _chance.Next(6) == 0
            ? ("what was wanted before", _past[_chance.Next(_past.Count)])
            : _changes.Next(_spec ?? []);
        var filled = CrdAdmission.Filled(spec);
        if (_admission.Refusal(Scenario.Cluster, filled, _spec is null ? null : CrdAdmission.Filled(_spec)) is { } refusal)
        {
            Refused++;
            Tell($"refused: {what}: {refusal}");
            // What was stored before a limit existed is there all the same.
            if (_spec is null || _chance.Next(2) == 0 || !IsReadable(filled)) return;
            Tell("stored all the same");
        }
        else
        {
            Tell(what);
        }

        _spec = spec;
        _past.Add(spec);
        _simulation.Apply(Scenario.Cluster, filled);
    }

    private static bool IsReadable(JsonObject spec)
    {
        try
        {
            KubernetesJson.Deserialize<StoreClusterSpec>(spec.ToJsonString());
            return true;
        }
        catch (System.Text.Json.JsonException)
        {
            return false;
        }
    }

    /// <summary>In the middle of it: an operator dies, a pod is killed, something is deleted by hand, or the next wish comes already.</summary>
    private void Disturb()
    {
        if (_spec is null) return;
        if (_chance.Next(2) == 0)
        {
            var crash = (_simulation.Writes.Writes.Count + _chance.Next(12), _chance.Next(2) == 0);
            _simulation.Writes.CrashAt = crash;
            Tell($"an operator dies {(crash.Item2 ? "before" : "after")} write {crash.Item1}");
        }

        if (_chance.Next(3) == 0) return;
        _simulation.Run(TimeSpan.FromSeconds(_chance.Next(40)));
        switch (_chance.Next(6))
        {
            case 0: Remove("pods"); break;
            case 1: Remove("services"); break;
            case 2: Remove("poddisruptionbudgets"); break;
            case 3: Remove("statefulsets"); break;
            case 4: Ask(); break;
        }
    }

    private void Remove(string plural)
    {
        var there = _simulation.Table.List(plural);
        if (there.Count == 0) return;
        var name = ObjectTable.KeyOf(there[_chance.Next(there.Count)]).Name;
        Tell($"kubectl delete {plural} {name}");
        _simulation.Conduct.Disturbed();
        _simulation.Delete(plural, name);
    }

    /// <summary>At rest, with healing on and somebody to spare: a disk, or once a node.</summary>
    private void LoseSomething()
    {
        if (_spec is null || _chance.Next(4) != 0 || !_simulation.IsSettled(Scenario.Cluster) || Wanted() is not { Healing: { Enabled: true, DiskLostAfterSeconds: <= 600, NodeLostAfterSeconds: <= 600 }, Paused: false, Replicas: >= 3 }) return;
        var pods = _simulation.Table.List("pods");
        var pod = pods[_chance.Next(pods.Count)];
        var (name, node) = (ObjectTable.KeyOf(pod).Name, SimulatedKubernetes.NodeOf(pod));
        _simulation.Conduct.Disturbed();
        if (!_nodeLost && _chance.Next(3) == 0 && pods.Count(other => SimulatedKubernetes.NodeOf(other) == node) == 1)
        {
            _nodeLost = true;
            Tell($"{node} of {name} dies");
            _simulation.Kubernetes.KillNode(node);
        }
        else
        {
            Tell($"the disk of {name} is lost");
            _simulation.Delete("persistentvolumeclaims", $"data-{name}");
            _simulation.Delete("pods", name);
        }

        Rest();
    }

    private void Rest()
    {
        if (_spec is null) return;
        var spec = Wanted();
        // What has to be waited for, by the spec's own words, and an hour for all else.
        var limit = TimeSpan.FromSeconds(3600 + 8 * spec.Update.SoakSeconds + 3 * spec.Update.MemberTimeoutSeconds + 2 * Math.Max(spec.Healing.DiskLostAfterSeconds, spec.Healing.NodeLostAfterSeconds));
        if (IsRetrying())
        {
            Retries(spec);
            return;
        }

        var (began, before) = (_simulation.Now, _simulation.Writes.Writes.Count);
        do
        {
            Assert.True(_simulation.RunUntilQuiet(s_quiet, limit), $"no rest within {limit}, after {_simulation.Writes.Writes.Count - before} writes: {_simulation.Describe(Scenario.Cluster)}");
            limit -= s_quiet;
            Assert.True(limit > TimeSpan.Zero, $"it waits for ever: {_simulation.Describe(Scenario.Cluster)}");
        }
        while (IsWaiting());
        _simulation.Writes.CrashAt = null;
        Tell(string.Create(CultureInfo.InvariantCulture, $"at rest after {(_simulation.Now - began).TotalSeconds:0} s and {_simulation.Writes.Writes.Count - before} writes"));
        Judge(spec);
    }

    /// <summary>Something that time alone decides.</summary>
    private bool IsWaiting() =>
        _simulation.Cluster(Scenario.Cluster).Status?.Blocked?.Any(blocked => blocked.Reason is "Soaking" or "MemberNotReady" or "WaitingForReturn") == true;

    /// <summary>An image that nobody has, and the wish to try again for ever.</summary>
    private bool IsRetrying() => _spec is not null && Wanted() is { Update.OnFailure: UpdateSpec.Retry } spec && Says(spec) is null && StoreImage.Of(spec, Simulation.Image).EndsWith($":{MissingTag}", StringComparison.Ordinal);

    /// <summary>Trying again has the pace that the spec gives it.</summary>
    private void Retries(StoreClusterSpec spec)
    {
        _simulation.RunUntilQuiet(s_quiet, TimeSpan.FromMinutes(10));
        _simulation.Writes.CrashAt = null;
        var writes = _simulation.Writes.Writes.Count;
        _simulation.Run(TimeSpan.FromMinutes(5));
        var tries = 2 + 300 / spec.Update.MemberTimeoutSeconds;
        Assert.True(_simulation.Writes.Writes.Count - writes <= 30 * tries, $"{_simulation.Writes.Writes.Count - writes} writes in five minutes: {_simulation.Describe(Scenario.Cluster)}");
    }

    private void Judge(StoreClusterSpec spec)
    {
        var cluster = _simulation.Cluster(Scenario.Cluster);
        Assert.Equal(cluster.Metadata.Generation, cluster.Status?.ObservedGeneration);
        var ready = Condition(cluster, ConditionTypes.Ready);
        if (spec.Paused)
        {
            Assert.Equal("True", Condition(cluster, ConditionTypes.Paused).Status);
            return;
        }

        if (Says(spec) is { } wrong)
        {
            Assert.StartsWith("spec.", wrong, StringComparison.Ordinal);
            Assert.Equal(("False", "InvalidSpec", wrong), (ready.Status, ready.Reason, ready.Message));
            return;
        }

        var fresh = FreshCluster.Of(CrdAdmission.Filled(_spec!));
        if (!fresh.Ready)
        {
            // With the password that root had before, a cluster serves on.
            if (Condition(cluster, ConditionTypes.AuthReady).Status == "False") ready = Condition(cluster, ConditionTypes.AuthReady);
            Assert.True(ready.Status == "False" && ready.Message.Length > 0, $"not even a fresh cluster gets ready, yet this says {ready.Status} {ready.Reason}: {ready.Message}");
            // Who wants a single member takes a restart of it into account.
            Assert.All(_simulation.Store.Groups.Where(group => group.Voters.Count() > 1), group => Assert.True(group.HasQuorum, "the quorum is lost"));
            return;
        }

        Assert.True(ready.Status == "True", $"a fresh cluster gets ready with this spec, and this one does not: {_simulation.Describe(Scenario.Cluster)}");
        Assert.All(cluster.Status!.Blocked ?? [], blocked => Assert.Equal("StorageUnchangeable", blocked.Reason));
        CrashTests.Same(fresh.State, WorldState.WithoutHistory(_simulation), "beside a fresh cluster");
    }

    private StoreClusterSpec Wanted() => _simulation.Cluster(Scenario.Cluster).Spec;

    private static string? Says(StoreClusterSpec spec) => SpecValidation.Check(new StoreCluster { Metadata = new V1ObjectMeta { Name = Scenario.Cluster, NamespaceProperty = Simulation.Namespace }, Spec = spec });

    private static V1Condition Condition(StoreCluster cluster, string type) => cluster.Status!.Conditions!.Single(condition => condition.Type == type);

    private void Tell(string what) => _story.Add(string.Create(CultureInfo.InvariantCulture, $"{Steps}: {what}"));
}
