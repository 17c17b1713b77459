using System.Globalization;
using System.Text.Json.Nodes;
using k8s;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>
/// StoreRestores at random: confirmed rightly, wrongly or not at all, changed, deleted midway, two at once, from backups that are there or not, while their cluster is scaled, paused, spoiled, deleted and made
/// anew, and operators die at a write. <see cref="OperatorConduct"/> watches that members of one epoch alone serve, and that the volumes of the former one stay until the next has formed. At rest nothing is
/// written, whatever is not done says why, and once people have put right what was wrong the cluster works.
/// </summary>
sealed class RestoreWalk : IWalk
{
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(90);
    static readonly string[] Buckets = ["first", "second"];

    readonly Random chance;
    readonly Simulation simulation;
    readonly List<string> story = [];

    /// <summary>By uid: every confirmation that was given, and the epoch that it has to be for.</summary>
    readonly HashSet<(string Uid, string Words)> confirmed = [];
    readonly Dictionary<string, int> givesUp = new(StringComparer.Ordinal);

    /// <summary>Uids of those that were under way when their cluster was deleted.</summary>
    readonly HashSet<string> orphaned = new(StringComparer.Ordinal);

    /// <summary>Names of volumes that a deleted cluster has left.</summary>
    readonly HashSet<string> left = new(StringComparer.Ordinal);
    int made;
    int formedBefore;

    public RestoreWalk(int seed)
    {
        chance = new Random(seed);
        var (lagging, operators) = (chance.Next(2) == 0, chance.Next(3) == 0 ? 2 : 1);
        simulation = new Simulation(seed, lagging ? Watches.Lagging : Watches.Prompt, operators, TimeSpan.FromMilliseconds(400));
        Tell($"seed {seed}: {operators} operator{(operators > 1 ? "s that both believe they lead" : "")}, {(lagging ? "lagging" : "prompt")} watches");
        foreach (var bucket in Buckets) simulation.Store.Backups.Buckets.Add(bucket);
        Want(Well);
        simulation.RunUntilSettled(Scenario.Cluster);
    }

    public string Story => string.Join('\n', story);

    public int Steps { get; private set; }

    public int Restored => simulation.Store.Groups.Count(group => group.RestoredFrom is not null);

    StoreCluster Cluster => simulation.Cluster(Scenario.Cluster);

    List<StoreRestore> Restores => [.. simulation.Table.List("storerestores").Select(item => KubernetesJson.Deserialize<StoreRestore>(item.ToJsonString()))];

    static StoreClusterSpec Well => Scenario.BackedUp(Scenario.Spec(3), Buckets[0]);

    public void Run(int steps)
    {
        for (; Steps < steps; Steps++)
        {
            for (var acts = 1 + chance.Next(3); acts > 0; acts--)
            {
                Act();
                Crash();
                simulation.Run(TimeSpan.FromSeconds(chance.Next(30)));
            }

            Rest();
            // What was paused or waited may turn out to be wrong when it is not any more.
            for (var again = true; again;)
            {
                again = PutRight();
                Rest();
            }

            Work();
        }

        foreach (var restore in Restores.Where(restore => restore.Status is not { Ended: true })) simulation.Delete("storerestores", restore.Metadata.Name);
        var writes = simulation.Writes.Writes.Count;
        Assert.True(simulation.RunUntilQuiet(TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(21)), $"written at rest: {string.Join(", ", simulation.Writes.Writes.Skip(writes))}");
    }

    public void Dispose() => simulation.Dispose();

    void Act()
    {
        switch (chance.Next(16))
        {
            case 0 or 1 or 2 or 3: Make(); break;
            case 4 or 5 or 6: OfOne("is confirmed", Confirm); break;
            case 7: OfOne("is deleted", restore => simulation.Delete("storerestores", restore.Metadata.Name)); break;
            case 8: OfOne("is changed", Change); break;
            case 9: Want(Cluster.Spec with { Replicas = 1 + 2 * chance.Next(3) }); break;
            case 10: Want(Cluster.Spec with { Paused = !Cluster.Spec.Paused }); break;
            case 11: Want(Cluster.Spec with { Backup = chance.Next(3) == 0 ? null : Scenario.BackedUp(Well, Buckets[chance.Next(2)]).Backup }); break;
            // Past an API server without CEL.
            case 12: Want(Cluster.Spec with { Auth = new AuthSpec { Enabled = true } }); break;
            case 13: Forget(Buckets[chance.Next(2)]); break;
            case 14: Anew(); break;
            case 15: KillPod(); break;
        }
    }

    void Crash()
    {
        if (chance.Next(2) == 0) return;
        var crash = (simulation.Writes.Writes.Count + chance.Next(12), chance.Next(2) == 0);
        simulation.Writes.CrashAt = crash;
        Tell($"an operator dies {(crash.Item2 ? "before" : "after")} write {crash.Item1}");
    }

    void Want(StoreClusterSpec spec)
    {
        Tell($"{spec.Replicas} members{(spec.Paused ? ", paused" : "")}, backups {spec.Backup?.Target?.S3?.Bucket ?? "off"}{(spec.Auth is null ? "" : ", and a wrong spec")}");
        simulation.Apply(Scenario.Cluster, spec);
    }

    void Make()
    {
        var name = $"restore-{++made}";
        if (chance.Next(6) == 0) simulation.Backup($"backup-{made}", Scenario.Cluster);
        var spec = Source(new StoreRestoreSpec { Cluster = chance.Next(12) == 0 ? "payments" : Scenario.Cluster, SafetyBackup = chance.Next(3) != 0, Confirm = chance.Next(2) == 0 ? null : Words() });
        Tell($"{name} is made: {Text(spec)}");
        simulation.Restore(name, spec);
        Note(name);
    }

    StoreRestoreSpec Source(StoreRestoreSpec spec) => chance.Next(10) switch
    {
        0 => spec with { From = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = "missing" } } },
        1 or 2 => spec with { From = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = Buckets[chance.Next(2)] } } },
        3 => spec with { Backup = $"backup-{made}" },
        4 => spec with { Time = $"{simulation.Now.UtcDateTime.AddSeconds(chance.Next(-900, 90)):yyyy-MM-ddTHH:mm:ssZ}" },
        5 => spec with { Revision = chance.Next(1, 20000) },
        _ => spec,
    };

    /// <summary>Mostly those that are asked for.</summary>
    string Words() => $"{Scenario.Cluster}@epoch={(Cluster.Status?.Epoch ?? 1) + (chance.Next(4) == 0 ? chance.Next(-1, 2) : 0)}";

    void Confirm(StoreRestore restore)
    {
        simulation.Confirm(restore.Metadata.Name, Words());
        Note(restore.Metadata.Name);
    }

    /// <summary>Past an API server without CEL: from here on it may ask for anything else.</summary>
    void Change(StoreRestore restore)
    {
        var changed = (JsonObject)simulation.Table.Get("storerestores", Simulation.Key(restore.Metadata.Name))!.DeepClone();
        var spec = Source(new StoreRestoreSpec { Cluster = chance.Next(6) == 0 ? "payments" : Scenario.Cluster, SafetyBackup = chance.Next(2) == 0, Confirm = restore.Spec.Confirm });
        Tell(Text(spec));
        changed["spec"] = JsonNode.Parse(KubernetesJson.Serialize(spec));
        simulation.Table.Put("storerestores", changed);
        Note(restore.Metadata.Name);
    }

    void Note(string name)
    {
        var restore = simulation.Restore(name);
        if (restore.Spec.Confirm is { } words) confirmed.Add((restore.Metadata.Uid, words));
    }

    void OfOne(string what, Action<StoreRestore> act)
    {
        var there = Restores;
        if (there.Count == 0) return;
        var restore = there[chance.Next(there.Count)];
        Tell($"{restore.Metadata.Name} ({restore.Status?.Phase ?? "new"}) {what}");
        act(restore);
    }

    void Forget(string bucket)
    {
        Tell($"bucket {bucket} is gone");
        simulation.Store.Backups.Buckets.Remove(bucket);
    }

    /// <summary>Another StoreCluster of the same name. What was confirmed for the former is not for it.</summary>
    void Anew()
    {
        orphaned.UnionWith(Restores.Where(restore => restore.Status is { UnderWay: true } && restore.Spec.Cluster == Scenario.Cluster).Select(restore => restore.Metadata.Uid));
        left.UnionWith(simulation.Table.List("persistentvolumeclaims").Select(claim => ObjectTable.KeyOf(claim).Name));
        Tell($"kubectl delete storecluster {Scenario.Cluster}, and another one; volumes that stay: {string.Join(", ", left)}");
        simulation.Delete("storeclusters", Scenario.Cluster);
        simulation.Conduct.Ended();
        formedBefore = simulation.Store.Groups.Count;
        if (chance.Next(2) == 0) simulation.Run(TimeSpan.FromSeconds(chance.Next(30)));
        simulation.Apply(Scenario.Cluster, Well);
    }

    void KillPod()
    {
        var pods = simulation.Table.List("pods");
        if (pods.Count == 0) return;
        var name = ObjectTable.KeyOf(pods[chance.Next(pods.Count)]).Name;
        Tell($"kubectl delete pods {name}");
        simulation.Conduct.Disturbed();
        simulation.Delete("pods", name);
    }

    void Rest()
    {
        var (began, before) = (simulation.Now, simulation.Writes.Writes.Count);
        Assert.True(simulation.RunUntilQuiet(Quiet, TimeSpan.FromHours(3), IsNoNews), $"no rest after {simulation.Writes.Writes.Count - before} writes: {Describe()}");
        simulation.Writes.CrashAt = null;
        Tell(string.Create(CultureInfo.InvariantCulture, $"at rest after {(simulation.Now - began).TotalSeconds:0} s and {simulation.Writes.Writes.Count - before} writes: {string.Join(", ", Restores.Select(restore => $"{restore.Metadata.Name} {restore.Status?.Phase}"))}"));
        foreach (var restore in Restores) JudgeAtRest(restore);
        foreach (var group in simulation.Store.Groups.Where(group => givesUp.ContainsKey(group.Token)))
            Assert.True(confirmed.Contains((group.Token, $"{Scenario.Cluster}@epoch={givesUp[group.Token]}")), $"nobody confirmed {group.Token}, and it was done");
        Assert.All(simulation.Store.Groups.Skip(formedBefore), group => Assert.False(orphaned.Contains(group.Token), $"{group.Token} was confirmed for a StoreCluster that is gone, and was done to another one"));
    }

    /// <summary>While a StoreRestore awaits its confirmation, status says every half a minute what would be lost.</summary>
    bool IsNoNews(string write) => Restores.Any(restore => restore.Status?.Phase == StoreRestoreStatus.AwaitingConfirmation && write.EndsWith($"storerestores/{restore.Metadata.Name}/status", StringComparison.Ordinal));

    /// <summary>It has ended, or says what is in the way.</summary>
    void JudgeAtRest(StoreRestore restore)
    {
        Assert.True(restore.Status?.Phase is not null, $"{restore.Metadata.Name} was never looked at: {Describe()}");
        if (restore.Status!.EpochAfter is { } next) givesUp[restore.Metadata.Uid] = next - 1;
        var message = restore.Status.Message ?? "";
        Assert.True(message.Length > 0, $"{restore.Metadata.Name} is {restore.Status.Phase} and says nothing");
        Assert.False(message.EndsWith("is about to be taken back", StringComparison.Ordinal), $"{restore.Metadata.Name} is {restore.Status.Phase} and does not say what is in the way: {message}\n{Describe()}");
    }

    /// <summary>What people do when they read what status says.</summary>
    /// <returns>Whether it was something that may lead to more.</returns>
    bool PutRight()
    {
        var before = Text(Cluster.Spec);
        foreach (var bucket in Buckets) simulation.Store.Backups.Buckets.Add(bucket);
        var failing = Restores.Where(restore => restore.Status is { Phase: StoreRestoreStatus.Restoring } && Cluster.Status?.FormedAt is null && restore.Status.Source?.From?.S3?.Bucket is "missing" or "second").ToList();
        foreach (var restore in failing)
        {
            Tell($"{restore.Metadata.Name} finds nothing to restore; it is given up for another one");
            simulation.Delete("storerestores", restore.Metadata.Name);
        }

        // It may have been deleted before: the epoch that it began stays without a store until another one is confirmed.
        var waiting = failing.Count > 0 || (Cluster.Status is { FormedAt: null, Restoration: not null } && !Restores.Any(restore => restore.Status is { UnderWay: true }));
        if (waiting)
        {
            var name = $"restore-{++made}";
            simulation.Restore(name, new StoreRestoreSpec { Cluster = Scenario.Cluster, From = Well.Backup!.Target, Confirm = RestoreRun.Words(Cluster) });
            Note(name);
        }

        Want(Well);
        return waiting || Text(Cluster.Spec) != before;
    }

    /// <summary>The cluster serves, with the volumes that it needs and no others.</summary>
    void Work()
    {
        Assert.True(simulation.IsSettled(Scenario.Cluster) && simulation.Says(Scenario.Cluster, ConditionTypes.BackupReady, "True"), $"it does not work on: {Describe()}");
        foreach (var restore in Restores.Where(restore => restore.Status is { UnderWay: true }))
            Assert.Fail($"{restore.Metadata.Name} is {restore.Status!.Phase} although the cluster is well: {restore.Status.Message}\n{Describe()}");
        var volumes = simulation.Table.List("persistentvolumeclaims").Select(claim => ObjectTable.KeyOf(claim).Name).Where(name => !left.Contains(name)).ToList();
        var wanted = Cluster.Status!.Members!.Select(member => $"data-{member.Name}-0");
        Assert.True(wanted.Order(StringComparer.Ordinal).SequenceEqual(volumes.Order(StringComparer.Ordinal)), $"its volumes are {string.Join(", ", volumes)}: {Describe()}");
        var used = Assert.Single(simulation.Conduct.Used);
        if (Cluster.Status.Restoration is { } done) Assert.Equal((done.Uid, true), (used.Token, used.RestoredFrom is not null));
    }

    string Describe() => $"{string.Join('\n', Restores.Select(restore => $"{restore.Metadata.Name}: {restore.Status?.Phase}: {restore.Status?.Message}"))}\n{simulation.Describe(Scenario.Cluster)}";

    static string Text(object spec) => KubernetesJson.Serialize(spec);

    void Tell(string what) => story.Add(string.Create(CultureInfo.InvariantCulture, $"{Steps}: {what}"));
}
