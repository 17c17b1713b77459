using System.Text.Json.Nodes;

namespace Operator.Tests;

/// <summary>What an API server does with an apply patch of the one manager that applies here: sets the fields it holds, takes away those that the manager
/// applied before and holds no longer, and leaves all others (defaults, status, other controllers' fields) alone.</summary>
static class ServerSideApply
{
    /// <summary>Lists that are merged item by item, and by what; all others are replaced as a whole.</summary>
    static readonly Dictionary<string, string> Keys = new(StringComparer.Ordinal)
    {
        ["containers"] = "name",
        ["initContainers"] = "name",
        ["env"] = "name",
        ["volumes"] = "name",
        ["volumeMounts"] = "mountPath",
        ["ownerReferences"] = "uid",
        ["imagePullSecrets"] = "name",
    };

    public static JsonObject Merge(JsonObject live, JsonObject applied, JsonObject? before)
    {
        var merged = (JsonObject)live.DeepClone();
        MergeInto(merged, applied, before);
        return merged;
    }

    static void MergeInto(JsonObject live, JsonObject applied, JsonObject? before)
    {
        foreach (var (name, _) in before ?? [])
        {
            if (!applied.ContainsKey(name)) live.Remove(name);
        }

        foreach (var (name, value) in applied)
        {
            live[name] = (value, live[name]) switch
            {
                (JsonObject wanted, JsonObject there) => Merge(there, wanted, before?[name] as JsonObject),
                (JsonArray wanted, JsonArray there) when Keys.TryGetValue(name, out var key) => MergeList(there, wanted, before?[name] as JsonArray, key),
                _ => value?.DeepClone(),
            };
        }
    }

    static JsonArray MergeList(JsonArray live, JsonArray applied, JsonArray? before, string key)
    {
        JsonObject? Find(JsonArray? list, JsonNode? item) => list?.OfType<JsonObject>().FirstOrDefault(other => JsonNode.DeepEquals(other[key], item?[key]));
        var kept = live.OfType<JsonObject>().Where(item => Find(applied, item) is null && Find(before, item) is null).Select(item => item.DeepClone());
        var set = applied.OfType<JsonObject>().Select(item => Find(live, item) is { } there ? Merge(there, item, Find(before, item)) : item.DeepClone());
        return new JsonArray([.. set.Concat(kept)]);
    }
}
