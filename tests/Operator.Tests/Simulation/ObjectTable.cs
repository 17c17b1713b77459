using System.Globalization;
using System.Text.Json.Nodes;
using Operator.Controller;

namespace Operator.Tests;

/// <summary>One event of the simulated API server's history.</summary>
sealed record Change(long Version, string Plural, ObjectKey Key, JsonObject Object, bool Deleted);

/// <summary>What the simulated API server stores: objects of every kind, one rising version over all of them, and the history that watches read.</summary>
sealed class ObjectTable(TimeProvider time)
{
    readonly SortedDictionary<string, JsonObject> objects = new(StringComparer.Ordinal);
    readonly List<Change> history = [];
    long version = 100;
    int uids;

    public IReadOnlyList<Change> History => history;

    /// <summary>Of the last change.</summary>
    public long Version => version;

    /// <summary>How often somebody asked for objects of a kind.</summary>
    public Dictionary<string, int> Reads { get; } = new(StringComparer.Ordinal);

    /// <summary>Kinds whose CustomResourceDefinition is not installed.</summary>
    public HashSet<string> Unknown { get; } = new(StringComparer.Ordinal) { "certificates" };

    /// <summary>What operators may not do, as "DELETE storebackups".</summary>
    public HashSet<string> Forbidden { get; } = new(StringComparer.Ordinal);

    /// <summary>What the operator applied last, by plural and key: managedFields, as they live with the object and not with who wrote it.</summary>
    public Dictionary<string, JsonObject> Applied { get; } = new(StringComparer.Ordinal);

    public JsonObject? Get(string plural, ObjectKey key) => objects.GetValueOrDefault(Path(plural, key));

    /// <summary>In order of namespace and name; a copy, so that the caller may change the table meanwhile.</summary>
    public IReadOnlyList<JsonObject> List(string plural) =>
        [.. objects.Where(pair => pair.Key.StartsWith(plural + "/", StringComparison.Ordinal)).Select(pair => pair.Value)];

    public IReadOnlyList<(string Plural, JsonObject Object)> All => [.. objects.Select(pair => (pair.Key.Split('/')[0], pair.Value))];

    public JsonObject Create(string plural, JsonObject item)
    {
        var created = (JsonObject)item.DeepClone();
        var metadata = created["metadata"]!.AsObject();
        metadata["uid"] = $"uid-{++uids}";
        metadata["creationTimestamp"] = Now;
        metadata["generation"] = 1;
        return Store(plural, created);
    }

    /// <summary>Stores it under a new version, unless nothing differs: as an API server does, which makes no event of a write that changes nothing.</summary>
    public JsonObject Put(string plural, JsonObject changed)
    {
        var there = Get(plural, KeyOf(changed))!;
        if (JsonNode.DeepEquals(there, changed)) return there;
        var next = (JsonObject)changed.DeepClone();
        if (!JsonNode.DeepEquals(there["spec"], changed["spec"])) next["metadata"]!["generation"] = there["metadata"]!["generation"]!.GetValue<int>() + 1;
        return Store(plural, next);
    }

    /// <summary>At once, or marked when somebody (the kubelet, protection of volumes in use) has to finish first.</summary>
    public void Delete(string plural, ObjectKey key)
    {
        if (Get(plural, key) is not { } item) return;
        if (plural is not ("pods" or "persistentvolumeclaims"))
        {
            Remove(plural, key);
        }
        else if (item["metadata"]!["deletionTimestamp"] is null)
        {
            var marked = (JsonObject)item.DeepClone();
            marked["metadata"]!["deletionTimestamp"] = Now;
            Store(plural, marked);
        }
    }

    public void Remove(string plural, ObjectKey key)
    {
        if (!objects.Remove(Path(plural, key), out var item)) return;
        Applied.Remove(Path(plural, key));
        var last = (JsonObject)item.DeepClone();
        last["metadata"]!["resourceVersion"] = Text(++version);
        history.Add(new Change(version, plural, key, last, Deleted: true));
    }

    public static ObjectKey KeyOf(JsonObject item) => new((string?)item["metadata"]!["namespace"] ?? "", (string)item["metadata"]!["name"]!);

    public string Now => time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    JsonObject Store(string plural, JsonObject item)
    {
        item["metadata"]!["resourceVersion"] = Text(++version);
        var key = KeyOf(item);
        objects[Path(plural, key)] = item;
        history.Add(new Change(version, plural, key, item, Deleted: false));
        return item;
    }

    static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    static string Path(string plural, ObjectKey key) => $"{plural}/{key.Namespace}/{key.Name}";
}
