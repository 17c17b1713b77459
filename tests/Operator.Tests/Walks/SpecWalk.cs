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
sealed class SpecWalk : IWalk
{
    /// <summary>An image that no registry has.</summary>
    public const string MissingTag = "typo";

    /// <summary>Longer than anything the operator waits for without saying so.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(90);

    /// <summary>The longest overlap of authorities whose end is waited for.</summary>
    const int OverlapSeconds = 600;

    readonly Random chance;
    readonly CrdAdmission admission;
    readonly Simulation simulation;
    readonly SpecChanges changes;
    readonly CertificateKeepers keepers;
    readonly List<string> story = [];
    readonly List<JsonObject> past = [];
    JsonObject? spec;
    JsonNode? tlsThatWorked;
    bool nodeLost;

    public SpecWalk(int seed)
    {
        chance = new Random(seed);
        var (cel, lagging, operators) = (chance.Next(2) == 0, chance.Next(2) == 0, chance.Next(3) == 0 ? 2 : 1);
        admission = new CrdAdmission(cel);
        simulation = new Simulation(seed, lagging ? Watches.Lagging : Watches.Prompt, operators, TimeSpan.FromMilliseconds(400));
        changes = new SpecChanges(chance);
        keepers = new CertificateKeepers(simulation, chance);
        Tell($"seed {seed}: {operators} operator{(operators > 1 ? "s that both believe they lead" : "")}, {(lagging ? "lagging" : "prompt")} watches, an API server {(cel ? "with" : "without")} CEL");
        Furnish(simulation);
        keepers.Arrive();
        if (keepers.Present is { } flaw) Tell(flaw.What);
    }

    /// <summary>What a spec may name and is not there.</summary>
    public static void Furnish(Simulation simulation) => simulation.Kubernetes.MissingImages.Add($"localhost/store:{MissingTag}");

    /// <summary>Everything that was done, for a failure's message.</summary>
    public string Story => string.Join('\n', story);

    public int Steps { get; private set; }

    public int Refused { get; private set; }

    public void Run(int steps)
    {
        for (; Steps < steps; Steps++)
        {
            if (spec is not null && chance.Next(3) == 0 && keepers.Present is null && keepers.Err(Wanted()) is { } wrong) Tell(wrong);
            Ask();
            Disturb();
            Rest();
            Mend();
            LoseSomething();
        }

        // Long after, nothing has been written; nor for a StoreCluster that is gone.
        var longest = TimeSpan.FromMinutes(30);
        var (writes, quiet) = (simulation.Writes.Writes.Count, spec is null ? longest : UntilRenewal(longest));
        if (spec is null || Wanted().Paused || !IsRetrying()) Assert.True(simulation.RunUntilQuiet(quiet, quiet + TimeSpan.FromMinutes(1)), $"written at rest: {string.Join(", ", simulation.Writes.Writes.Skip(writes))}");
    }

    /// <summary>At most so long that no certificate of the operator's grows old meanwhile.</summary>
    TimeSpan UntilRenewal(TimeSpan longest)
    {
        var first = (simulation.Cluster(Scenario.Cluster).Status?.Tls?.Certificates ?? []).Select(certificate => certificate.RenewAt - simulation.Now.UtcDateTime - TimeSpan.FromMinutes(2)).DefaultIfEmpty(longest).Min();
        return first < TimeSpan.Zero ? TimeSpan.Zero : first < longest ? first : longest;
    }

    /// <summary>What was wrong with the certificates of others is put right.</summary>
    void Mend()
    {
        if (keepers.Present is not { } flaw) return;
        Tell($"put right: {flaw.What}");
        keepers.Mend();
        Rest();
        keepers.Settled();
    }

    public void Dispose() => simulation.Dispose();

    /// <summary>One more wish; those that the API server refuses change nothing.</summary>
    void Ask()
    {
        if (this.spec is not null && chance.Next(12) == 0) Delete();
        var (what, spec) = Wish();
        var filled = CrdAdmission.Filled(spec);
        if (admission.Refusal(Scenario.Cluster, filled, this.spec is null ? null : CrdAdmission.Filled(this.spec)) is { } refusal)
        {
            Refused++;
            Tell($"refused: {what}: {refusal}");
            // What was stored before a limit existed is there all the same.
            if (this.spec is null || chance.Next(2) == 0 || !IsReadable(filled)) return;
            Tell("stored all the same");
        }
        else
        {
            Tell(what);
        }

        this.spec = spec;
        past.Add(spec);
        simulation.Apply(Scenario.Cluster, filled);
    }

    (string What, JsonObject Spec) Wish()
    {
        if (spec is null) return past.Count == 0 ? changes.First() : changes.Otherwise(past[^1]);
        if (SpecValidation.Check(simulation.Cluster(Scenario.Cluster)) is { } wrong && wrong.Contains("when the cluster began", StringComparison.Ordinal) && chance.Next(2) == 0)
            return ("the TLS that it began with", SpecField.All.Single(field => field.Name == "spec.tls").Set(spec, tlsThatWorked));
        return past.Count > 1 && chance.Next(6) == 0 ? ("what was wanted before", past[chance.Next(past.Count)]) : changes.Next(spec);
    }

    /// <summary>The StoreCluster goes, with what it owns; the next wish makes another one of its name.</summary>
    void Delete()
    {
        Tell($"kubectl delete storecluster {Scenario.Cluster}");
        simulation.Delete("storeclusters", Scenario.Cluster);
        simulation.Conduct.Ended();
        simulation.Run(TimeSpan.FromSeconds(chance.Next(30)));
        spec = null;
    }

    static bool IsReadable(JsonObject spec)
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
    void Disturb()
    {
        if (spec is null) return;
        if (chance.Next(2) == 0)
        {
            var crash = (simulation.Writes.Writes.Count + chance.Next(12), chance.Next(2) == 0);
            simulation.Writes.CrashAt = crash;
            Tell($"an operator dies {(crash.Item2 ? "before" : "after")} write {crash.Item1}");
        }

        if (chance.Next(3) == 0) return;
        simulation.Run(TimeSpan.FromSeconds(chance.Next(40)));
        switch (chance.Next(9))
        {
            case 0: Remove("pods"); break;
            case 1: Remove("services"); break;
            case 2: Remove("poddisruptionbudgets"); break;
            // The template that a member ran goes with its StatefulSet: while nobody has the wanted image, that would be a second member that does not start.
            case 3 when !IsImageMissing(): Remove("statefulsets"); break;
            case 4: Ask(); break;
            case 5: Remove("secrets"); break;
            case 6: Remove("certificates"); break;
            case 7 when keepers.Present is null:
                Tell($"Secret {CertificateKeepers.Name} is renewed");
                keepers.Renew();
                break;
        }
    }

    void Remove(string plural)
    {
        var there = simulation.Table.List(plural).Where(item => plural != "secrets" || item["data"]![CertificateSecret.AuthorityEntry] is not null && ObjectTable.KeyOf(item).Name != CertificateKeepers.Name).ToList();
        if (there.Count == 0) return;
        var name = ObjectTable.KeyOf(there[chance.Next(there.Count)]).Name;
        Tell($"kubectl delete {plural} {name}");
        simulation.Conduct.Disturbed();
        simulation.Delete(plural, name);
    }

    /// <summary>At rest, with healing on and somebody to spare: a disk, or once a node.</summary>
    void LoseSomething()
    {
        if (spec is null || chance.Next(4) != 0 || !simulation.IsSettled(Scenario.Cluster) || Wanted() is not { Healing: { Enabled: true, DiskLostAfterSeconds: <= 600, NodeLostAfterSeconds: <= 600 }, Paused: false, Replicas: >= 3 }) return;
        var pods = simulation.Table.List("pods");
        var pod = pods[chance.Next(pods.Count)];
        var (name, node) = (ObjectTable.KeyOf(pod).Name, SimulatedKubernetes.NodeOf(pod));
        simulation.Conduct.Disturbed();
        if (!nodeLost && chance.Next(3) == 0 && pods.Count(other => SimulatedKubernetes.NodeOf(other) == node) == 1)
        {
            nodeLost = true;
            Tell($"{node} of {name} dies");
            simulation.Kubernetes.KillNode(node);
        }
        else
        {
            Tell($"the disk of {name} is lost");
            simulation.Delete("persistentvolumeclaims", $"data-{name}");
            simulation.Delete("pods", name);
        }

        Rest();
    }

    void Rest()
    {
        if (this.spec is null) return;
        var spec = Wanted();
        // What has to be waited for, by the spec's own words, and an hour for all else.
        var limit = TimeSpan.FromSeconds(3600 + 8 * spec.Update.SoakSeconds + 3 * spec.Update.MemberTimeoutSeconds + 4 * OverlapSeconds + 2 * Math.Max(spec.Healing.DiskLostAfterSeconds, spec.Healing.NodeLostAfterSeconds));
        if (IsRetrying())
        {
            Retries(spec);
            return;
        }

        var (began, before) = (simulation.Now, simulation.Writes.Writes.Count);
        do
        {
            Assert.True(simulation.RunUntilQuiet(Quiet, limit), $"no rest within {limit}, after {simulation.Writes.Writes.Count - before} writes: {simulation.Describe(Scenario.Cluster)}");
            limit -= Quiet;
            Assert.True(limit > TimeSpan.Zero, $"it waits for ever: {simulation.Describe(Scenario.Cluster)}");
        }
        while (IsWaiting(spec));
        simulation.Writes.CrashAt = null;
        Tell(string.Create(CultureInfo.InvariantCulture, $"at rest after {(simulation.Now - began).TotalSeconds:0} s and {simulation.Writes.Writes.Count - before} writes"));
        Judge(spec);
    }

    /// <summary>Something that time alone decides.</summary>
    bool IsWaiting(StoreClusterSpec spec) => simulation.Cluster(Scenario.Cluster).Status?.Blocked?.Any(blocked =>
        blocked.Reason is "Soaking" or "MemberNotReady" or "WaitingForReturn" || (blocked.Reason == "AuthorityOverlap" && spec.Tls?.OverlapSeconds <= OverlapSeconds)) == true;

    /// <summary>An image that nobody has, and the wish to try again for ever.</summary>
    bool IsRetrying() => spec is not null && Wanted().Update.OnFailure == UpdateSpec.Retry && SpecValidation.Check(simulation.Cluster(Scenario.Cluster)) is null && IsImageMissing();

    bool IsImageMissing() => StoreImage.Of(Wanted(), Simulation.Image).EndsWith($":{MissingTag}", StringComparison.Ordinal);

    /// <summary>Trying again has the pace that the spec gives it.</summary>
    void Retries(StoreClusterSpec spec)
    {
        simulation.RunUntilQuiet(Quiet, TimeSpan.FromMinutes(10));
        simulation.Writes.CrashAt = null;
        var writes = simulation.Writes.Writes.Count;
        simulation.Run(TimeSpan.FromMinutes(5));
        var tries = 2 + 300 / spec.Update.MemberTimeoutSeconds;
        Assert.True(simulation.Writes.Writes.Count - writes <= 30 * tries, $"{simulation.Writes.Writes.Count - writes} writes in five minutes: {simulation.Describe(Scenario.Cluster)}");
    }

    void Judge(StoreClusterSpec spec)
    {
        var cluster = simulation.Cluster(Scenario.Cluster);
        Assert.Equal(cluster.Metadata.Generation, cluster.Status?.ObservedGeneration);
        var ready = Condition(cluster, ConditionTypes.Ready);
        if (spec.Paused)
        {
            Assert.Equal("True", Condition(cluster, ConditionTypes.Paused).Status);
            return;
        }

        if (SpecValidation.Check(cluster) is { } wrong)
        {
            Assert.StartsWith("spec.", wrong, StringComparison.Ordinal);
            Assert.Equal(("False", "InvalidSpec", wrong), (ready.Status, ready.Reason, ready.Message));
            return;
        }

        tlsThatWorked = this.spec!["tls"]?.DeepClone();
        if (keepers.Concerns(spec) && IsToldWhatIsWrong(cluster)) return;
        if (cluster.Status!.Blocked?.Any(blocked => blocked.Reason == "AuthorityOverlap") == true)
        {
            // Applications were given days to read what is announced.
            Assert.Equal(("True", "Rotating"), (Condition(cluster, ConditionTypes.CertificatesReady).Status, Condition(cluster, ConditionTypes.CertificatesReady).Reason));
            return;
        }

        var fresh = FreshCluster.Of(CrdAdmission.Filled(this.spec!));
        if (!fresh.Ready)
        {
            // With the password that root had before, a cluster serves on.
            if (Condition(cluster, ConditionTypes.AuthReady).Status == "False") ready = Condition(cluster, ConditionTypes.AuthReady);
            // And with the certificates that it has.
            if (cluster.Status.Conditions!.FirstOrDefault(condition => condition is { Type: ConditionTypes.CertificatesReady, Status: "False" }) is { } certificates) ready = certificates;
            Assert.True(ready.Status == "False" && ready.Message.Length > 0, $"not even a fresh cluster gets ready, yet this says {ready.Status} {ready.Reason}: {ready.Message}");
            // Who wants a single member takes a restart of it into account.
            Assert.All(simulation.Conduct.Used.Where(group => group.Voters.Count() > 1), group => Assert.True(group.HasQuorum, "the quorum is lost"));
            return;
        }

        Assert.True(ready.Status == "True", $"a fresh cluster gets ready with this spec, and this one does not: {simulation.Describe(Scenario.Cluster)}");
        Assert.All(cluster.Status!.Blocked ?? [], blocked => Assert.Equal("StorageUnchangeable", blocked.Reason));
        Assert.Single(simulation.Conduct.Used);
        CrashTests.Same(fresh.State, WorldState.WithoutHistory(simulation), "beside a fresh cluster");
        foreach (var side in spec.WithTls().Where(side => spec.Issuer(side)!.IsSelfSigned && spec.Tls!.Rotate is not null)) Assert.Equal(spec.Tls!.Rotate, cluster.Status.Tls!.Of(side)!.Rotated);
    }

    /// <summary>While the certificates of others are wrong: that is said, or (where cert-manager signs nothing new, and nothing new is needed) nothing is amiss.</summary>
    bool IsToldWhatIsWrong(StoreCluster cluster)
    {
        var (flaw, said) = (keepers.Present!, Condition(cluster, ConditionTypes.CertificatesReady));
        Assert.All(simulation.Conduct.Used.Where(group => group.Voters.Count() > 1), group => Assert.True(group.HasQuorum, "the quorum is lost"));
        if (said.Status == "True" && flaw.Reason == "CertificatePending") return false;
        // A Secret that nobody has is named by the spec as well, and comes first.
        if (said.Reason == "SecretMissing" && !said.Message.Contains(flaw.Mention, StringComparison.Ordinal)) return true;
        Assert.Equal(("False", flaw.Reason), (said.Status, said.Reason));
        Assert.Contains(flaw.Mention, said.Message, StringComparison.Ordinal);
        return true;
    }

    StoreClusterSpec Wanted() => simulation.Cluster(Scenario.Cluster).Spec;

    static V1Condition Condition(StoreCluster cluster, string type) => cluster.Status!.Conditions!.Single(condition => condition.Type == type);

    void Tell(string what) => story.Add(string.Create(CultureInfo.InvariantCulture, $"{Steps}: {what}"));
}
