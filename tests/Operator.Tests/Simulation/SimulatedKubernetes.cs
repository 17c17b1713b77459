using System.Text.Json.Nodes;
using Operator.Controller;
using Operator.Core;

namespace Operator.Tests;

/// <summary>The controllers and the kubelets: StatefulSets get pods and volumes, pods get nodes and processes, what lost its owner goes.</summary>
sealed class SimulatedKubernetes(ObjectTable table, SimulatedStore store, TimeProvider time, Random? chance)
{
    const string Pods = "pods";
    const string Claims = "persistentvolumeclaims";

    /// <summary>What a kubelet knows of a pod.</summary>
    sealed class Sandbox
    {
        public required DateTimeOffset StartAt { get; set; }
        public DateTimeOffset? EndAt { get; set; }
        public StoreProcess? Process { get; set; }
        public string? LastWords { get; set; }

        /// <summary>Of its container that restores: what it said when it failed, or nothing once it succeeded; null where there is none, or it has not run yet.</summary>
        public string? RestoreWords { get; set; }
        public int Restarts { get; set; }

        /// <summary>When its store began the run that will not last, or ended it.</summary>
        public DateTimeOffset? CrashesSince { get; set; }
        public DateTimeOffset? CrashedAt { get; set; }
        public MountedSecrets? Certificates { get; set; }
        public JsonNode? Annotations { get; set; }
    }

    readonly Dictionary<string, Sandbox> sandboxes = new(StringComparer.Ordinal);
    readonly HashSet<string> silent = new(StringComparer.Ordinal);
    readonly string[] nodes = ["node-1", "node-2", "node-3", "node-4"];
    int addresses;
    int collected;

    /// <summary>The first half of every pod's address.</summary>
    public string Network { get; init; } = "10.1";

    /// <summary>Images that no registry has.</summary>
    public HashSet<string> MissingImages { get; } = new(StringComparer.Ordinal);

    /// <summary>Pods whose store ends by itself some seconds after each start.</summary>
    public HashSet<string> Crashing { get; } = new(StringComparer.Ordinal);

    /// <summary>The node's power is cut: its processes end, its kubelet says nothing any more, and Kubernetes calls its pods unready.</summary>
    public void KillNode(string node) => silent.Add(node);

    /// <summary>The node that a pod was put on.</summary>
    public static string NodeOf(JsonObject pod) => (string?)pod["spec"]!["nodeName"] ?? "";

    /// <summary>Everybody has one turn.</summary>
    public void Tick()
    {
        CollectGarbage();
        foreach (var set in table.List("statefulsets")) Sync(set);
        foreach (var pod in table.List(Pods)) Run(pod);
        ReleaseClaims();
    }

    void CollectGarbage()
    {
        // Where nothing has changed nobody lost an owner.
        if (collected == table.History.Count) return;
        collected = table.History.Count;
        var uids = table.All.Select(item => (string)item.Object["metadata"]!["uid"]!).ToHashSet(StringComparer.Ordinal);
        foreach (var (plural, item) in table.All)
        {
            if (item["metadata"]!["ownerReferences"] is JsonArray { Count: > 0 } owners && !owners.Any(owner => uids.Contains((string)owner!["uid"]!)))
                table.Delete(plural, ObjectTable.KeyOf(item));
        }
    }

    /// <summary>One pod and its volume for each StatefulSet (all have one replica); a pod that is still going is waited for.</summary>
    void Sync(JsonObject set)
    {
        var key = ObjectTable.KeyOf(set);
        var pod = new ObjectKey(key.Namespace, $"{key.Name}-0");
        if (table.Get(Pods, pod) is not null) return;
        var claim = new ObjectKey(key.Namespace, $"data-{pod.Name}");
        if (table.Get(Claims, claim) is { } there)
        {
            if (there["metadata"]!["deletionTimestamp"] is not null) return;
        }
        else
        {
            var template = set["spec"]!["volumeClaimTemplates"]![0]!;
            table.Create(Claims, Named(claim, template["metadata"]!, template["spec"]!));
        }

        var made = Named(pod, set["spec"]!["template"]!["metadata"]!, set["spec"]!["template"]!["spec"]!);
        made["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject
        {
            ["apiVersion"] = "apps/v1",
            ["kind"] = "StatefulSet",
            ["name"] = key.Name,
            ["uid"] = set["metadata"]!["uid"]!.DeepClone(),
            ["controller"] = true,
        });
        table.Create(Pods, made);
    }

    static JsonObject Named(ObjectKey key, JsonNode metadata, JsonNode spec)
    {
        var named = (JsonObject)metadata.DeepClone();
        named["namespace"] = key.Namespace;
        named["name"] = key.Name;
        return new JsonObject { ["metadata"] = named, ["spec"] = spec.DeepClone() };
    }

    void Run(JsonObject pod)
    {
        if (silent.Contains(NodeOf(pod)))
        {
            FallSilent(pod);
            return;
        }

        var uid = (string)pod["metadata"]!["uid"]!;
        if (!sandboxes.TryGetValue(uid, out var sandbox)) sandboxes[uid] = sandbox = new Sandbox { StartAt = Soon(1) };
        if (pod["metadata"]!["deletionTimestamp"] is not null)
        {
            End(pod, sandbox);
            return;
        }

        if (sandbox.Process is { } process && process.Group.Find(process.MemberId) is null)
        {
            store.Stop(process);
            (sandbox.Process, sandbox.LastWords, sandbox.StartAt) = (null, "the member has been permanently removed from the cluster", Soon(10));
            sandbox.Restarts++;
        }

        var image = (string)pod["spec"]!["containers"]![0]!["image"]!;
        if (Crashing.Contains(ObjectTable.KeyOf(pod).Name)) Crash(sandbox);
        else if (sandbox.Process is null && time.GetUtcNow() >= sandbox.StartAt && !MissingImages.Contains(image)) Start(pod, sandbox);
        if (sandbox is { Process: not null, Certificates: { } certificates } && (time.GetUtcNow() >= certificates.RefreshAt || !JsonNode.DeepEquals(sandbox.Annotations, AnnotationsOf(pod))))
        {
            sandbox.Annotations = AnnotationsOf(pod)?.DeepClone();
            certificates.Refresh(table, Soon(20));
        }

        Report(pod, sandbox, image);
    }

    /// <summary>It runs for some seconds, ends with words that hold the time of day, and is started again after a pause that grows.</summary>
    void Crash(Sandbox sandbox)
    {
        if (sandbox.Process is { } process) store.Stop(process);
        if (sandbox.Process is null && sandbox.CrashesSince is null && time.GetUtcNow() < sandbox.StartAt) return;
        (sandbox.Process, sandbox.CrashesSince) = (null, sandbox.CrashesSince ?? time.GetUtcNow());
        if (time.GetUtcNow() - sandbox.CrashesSince < TimeSpan.FromSeconds(4)) return;
        (sandbox.LastWords, sandbox.CrashesSince, sandbox.CrashedAt) = ($"{table.Now} panic: out of luck", null, time.GetUtcNow());
        sandbox.StartAt = Soon(Math.Min(300, 10 * Math.Pow(2, Math.Min(sandbox.Restarts++, 10))));
    }

    /// <summary>Each start of a store process takes the next one.</summary>
    public string AddressOf(int number) => $"{Network}.{number / 250}.{number % 250 + 1}";

    /// <summary>A kubelet comes to a pod when that changes.</summary>
    static JsonNode? AnnotationsOf(JsonObject pod) => pod["metadata"]!["annotations"];

    void Start(JsonObject pod, Sandbox sandbox)
    {
        var claim = table.Get(Claims, new ObjectKey(ObjectTable.KeyOf(pod).Namespace, $"data-{ObjectTable.KeyOf(pod).Name}"));
        if (claim is null) return;
        sandbox.Certificates ??= MountedSecrets.Of(pod);
        sandbox.Annotations = AnnotationsOf(pod)?.DeepClone();
        // A pod whose Secret is missing does not start; its kubelet looks again.
        if (sandbox.Certificates?.Refresh(table, Soon(20)) == false) return;
        if (!Restore(pod, sandbox, out var restored)) return;
        var containers = pod["spec"]!["containers"]!.AsArray();
        var agent = containers.FirstOrDefault(container => (string)container!["name"]! == AgentContainer.Name);
        (sandbox.Process, sandbox.LastWords) = store.Start(AddressOf(++addresses), (string)claim["metadata"]!["uid"]!, FlagsOf(containers[0]!), sandbox.Certificates, agent is null ? null : FlagsOf(agent), restored);
        if (sandbox.Process is not null) return;
        sandbox.StartAt = Soon(Math.Min(300, 5 * Math.Pow(2, Math.Min(sandbox.Restarts++, 10))));
    }

    /// <summary>Runs the init container that restores, if there is one.</summary>
    /// <returns>False when it failed: it is started again, and the store is not.</returns>
    bool Restore(JsonObject pod, Sandbox sandbox, out IReadOnlyDictionary<string, string>? flags)
    {
        flags = null;
        if ((pod["spec"]!["initContainers"] as JsonArray)?.FirstOrDefault(container => (string)container!["name"]! == RestoreContainer.Name) is not { } restore) return true;
        flags = FlagsOf(restore);
        sandbox.RestoreWords = store.Backups.Restore(flags["from"]);
        if (sandbox.RestoreWords.Length == 0) return true;
        sandbox.StartAt = Soon(Math.Min(300, 5 * Math.Pow(2, Math.Min(sandbox.Restarts++, 10))));
        return false;
    }

    static Dictionary<string, string> FlagsOf(JsonNode container) => SimulatedStore.Flags(container["args"]!.AsArray().Select(argument => (string)argument!));

    void End(JsonObject pod, Sandbox sandbox)
    {
        sandbox.EndAt ??= Soon(2);
        if (time.GetUtcNow() < sandbox.EndAt) return;
        if (sandbox.Process is not null) store.Stop(sandbox.Process);
        sandboxes.Remove((string)pod["metadata"]!["uid"]!);
        table.Remove(Pods, ObjectTable.KeyOf(pod));
    }

    /// <summary>A volume that a pod uses stays until the pod is gone.</summary>
    void ReleaseClaims()
    {
        foreach (var claim in table.List(Claims).Where(claim => claim["metadata"]!["deletionTimestamp"] is not null))
        {
            var key = ObjectTable.KeyOf(claim);
            if (table.Get(Pods, new ObjectKey(key.Namespace, key.Name["data-".Length..])) is null) table.Remove(Claims, key);
        }
    }

    void Report(JsonObject pod, Sandbox sandbox, string image)
    {
        var ready = sandbox.Process is { } process && store.Ready(process);
        var container = new JsonObject { ["name"] = "store", ["image"] = image, ["imageID"] = image, ["ready"] = ready, ["restartCount"] = sandbox.Restarts, ["started"] = sandbox.Process is not null || sandbox.CrashesSince is not null };
        container["state"] = State(sandbox, image);
        if (sandbox.LastWords is { } words) container["lastState"] = new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = 1, ["message"] = words } };
        var status = new JsonObject
        {
            ["phase"] = sandbox.Process is null && sandbox.Restarts == 0 ? "Pending" : "Running",
            ["conditions"] = new JsonArray(Condition(pod, "PodScheduled", true), Condition(pod, "Ready", ready)),
            ["containerStatuses"] = new JsonArray(container),
        };
        if (sandbox.RestoreWords is { } told)
        {
            var ended = new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = told.Length == 0 ? 0 : 1, ["message"] = told } };
            status["initContainerStatuses"] = new JsonArray(new JsonObject { ["name"] = RestoreContainer.Name, ["image"] = image, ["imageID"] = image, ["ready"] = told.Length == 0, ["restartCount"] = sandbox.Restarts, ["state"] = ended });
            if (told.Length > 0) status["phase"] = "Pending";
        }

        if (sandbox.Process is not null) status["podIP"] = sandbox.Process.Ip;
        var next = (JsonObject)pod.DeepClone();
        next["spec"]!["nodeName"] ??= Place(pod);
        next["status"] = status;
        table.Put(Pods, next);
    }

    /// <summary>Who has the fewest pods and is alive.</summary>
    string Place(JsonObject pod) => nodes.Where(node => !silent.Contains(node)).MinBy(node => table.List(Pods).Count(other => NodeOf(other) == node && other != pod))!;

    /// <summary>What the node's controller writes in the kubelet's stead, and nothing else: containers are still said to run.</summary>
    void FallSilent(JsonObject pod)
    {
        if (sandboxes.Remove((string)pod["metadata"]!["uid"]!, out var sandbox) && sandbox.Process is { } process) store.Stop(process);
        if (pod["status"]?["conditions"] is null) return;
        var next = (JsonObject)pod.DeepClone();
        next["status"]!["conditions"] = new JsonArray(Condition(pod, "PodScheduled", true), Condition(pod, "Ready", false));
        table.Put(Pods, next);
    }

    JsonObject State(Sandbox sandbox, string image)
    {
        static JsonObject Waiting(string reason, string? message = null) => new() { ["waiting"] = new JsonObject { ["reason"] = reason, ["message"] = message ?? reason } };
        if (sandbox.Process is not null) return new JsonObject { ["running"] = new JsonObject() };
        if (sandbox.CrashesSince is { } since) return new JsonObject { ["running"] = new JsonObject { ["startedAt"] = since.UtcDateTime } };
        if (time.GetUtcNow() - sandbox.CrashedAt < TimeSpan.FromSeconds(2)) return new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = 1, ["message"] = sandbox.LastWords } };
        if (MissingImages.Contains(image)) return Waiting("ImagePullBackOff", $"no registry has {image}");
        return sandbox.LastWords is null ? Waiting("ContainerCreating") : Waiting("CrashLoopBackOff");
    }

    JsonObject Condition(JsonObject pod, string type, bool holds)
    {
        var text = holds ? "True" : "False";
        var before = (pod["status"]?["conditions"] as JsonArray)?.FirstOrDefault(condition => (string)condition!["type"]! == type);
        var since = before is not null && (string)before["status"]! == text ? (string)before["lastTransitionTime"]! : table.Now;
        return new JsonObject { ["type"] = type, ["status"] = text, ["lastTransitionTime"] = since };
    }

    /// <summary>After about so many seconds.</summary>
    DateTimeOffset Soon(double seconds) => time.GetUtcNow() + TimeSpan.FromSeconds(seconds * (0.5 + (chance?.NextDouble() ?? 0.5)));
}
