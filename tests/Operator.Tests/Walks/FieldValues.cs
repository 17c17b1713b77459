using System.Text.Json.Nodes;

namespace Operator.Tests;

/// <summary>Values for a field, made from its schema alone, so that a field that is added tomorrow is walked without anybody thinking of it. What the schema
/// leaves open (parts of a pod) has an example here by name, and a pattern needs a word that fits it; a field that has none fails a test.</summary>
static class FieldValues
{
    /// <summary>Parts of Kubernetes' own objects, which the schema passes on as they are.</summary>
    static readonly Dictionary<string, string> Examples = new(StringComparer.Ordinal)
    {
        ["tolerations"] = """{"key":"dedicated","operator":"Exists"}""",
        ["nodeAffinity"] = """{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"disk","operator":"In","values":["ssd"]}]}]}}""",
        ["volumes"] = """{"name":"scratch","emptyDir":{}}""",
        ["volumeMounts"] = """{"name":"scratch","mountPath":"/scratch"}""",
        ["initContainers"] = """{"name":"before","image":"localhost/before:1"}""",
        ["sidecars"] = """{"name":"beside","image":"localhost/beside:1"}""",
    };

    /// <summary>Lists of words that no pattern describes, but the operator's rules.</summary>
    static readonly Dictionary<string, string> ListExamples = new(StringComparer.Ordinal)
    {
        ["extraSANs"] = """["store.example","10.0.0.7"]""",
    };

    /// <summary>Tried against each pattern.</summary>
    static readonly string[] Names =
    [
        "standard", "v2", "1.2.3", "5m", "1h", "4h", "1000", "localhost/store", "registry.example:5000/team/store", "sha256:" + new string('7', 64), "TEAM_NAME", "http://minio.example:9000", "2026-11-27T20:34:00Z", "cafe", "example.com/rack", "rack",
    ];

    static readonly string[] Quantities = ["1", "500m", "1Gi", "9Gi", "1e3", "16Gi"];

    static readonly string[] Nonsense = ["", " ", "-", "no such thing", "\u00fc", "a/b/c/d e", "line\n"];

    /// <summary>What the schema lets in, with both ends of what has ends.</summary>
    public static IReadOnlyList<JsonNode> Valid(string name, JsonObject schema)
    {
        if (schema["enum"] is JsonArray choices) return [.. choices.Select(choice => choice!.DeepClone())];
        if (schema["x-kubernetes-int-or-string"] is not null) return [JsonValue.Create(2), .. Quantities.Select(text => JsonValue.Create(text))];
        return (string)schema["type"]! switch
        {
            "boolean" => [JsonValue.Create(true), JsonValue.Create(false)],
            "integer" => [.. new[] { (long?)schema["minimum"], (long?)schema["maximum"], (long?)schema["default"], Middle(schema) }.OfType<long>().Distinct().Select(number => JsonValue.Create(number))],
            "string" => [.. Words(schema).Select(text => JsonValue.Create(text))],
            "array" => [.. Lists(name, schema)],
            "object" when schema["properties"] is JsonObject => [Smallest(schema), .. Larger(name, schema)],
            "object" when schema["additionalProperties"] is JsonObject entry => [.. Maps(name, entry)],
            "object" when Examples.TryGetValue(name, out var example) => [JsonNode.Parse(example)!],
            _ => [],
        };
    }

    /// <summary>What the schema must not let in.</summary>
    public static IReadOnlyList<JsonNode> Invalid(JsonObject schema)
    {
        IEnumerable<JsonNode> made = (string?)schema["type"] switch
        {
            _ when schema["x-kubernetes-int-or-string"] is not null => [JsonValue.Create("much"), JsonValue.Create("-1Gi"), JsonValue.Create("1.5.2Gi"), JsonValue.Create("")],
            "integer" => [.. new[] { (long?)schema["minimum"] - 1, (long?)schema["maximum"] + 1, -7 }.OfType<long>().Select(number => JsonValue.Create(number))],
            "string" => [.. Nonsense.Append(new string('a', (int?)schema["maxLength"] + 1 ?? 1)).Select(text => JsonValue.Create(text))],
            "array" when schema["x-kubernetes-list-map-keys"] is not null && Item(schema) is { } item => [new JsonArray(item.DeepClone(), item.DeepClone())],
            _ => [],
        };
        return [.. made.Where(value => StructuralSchema.Errors(schema, value, "").Any())];
    }

    /// <summary>An object of this schema with what is required, and nothing else.</summary>
    public static JsonObject Smallest(JsonObject schema) => new((schema["required"] as JsonArray ?? [])
        .Select(name => (string)name!).Select(name => KeyValuePair.Create(name, (JsonNode?)Valid(name, (JsonObject)schema["properties"]![name]!)[0].DeepClone())));

    static IEnumerable<JsonNode> Larger(string name, JsonObject schema)
    {
        foreach (var (property, its) in StructuralSchema.Properties(schema))
        {
            if (Valid(property, its) is not [var first, ..]) continue;
            var larger = Smallest(schema);
            larger[property] = first.DeepClone();
            yield return larger;
        }
    }

    static long? Middle(JsonObject schema) => (long?)schema["minimum"] is { } minimum && (long?)schema["maximum"] is { } maximum ? (minimum + maximum) / 3 : null;

    static IEnumerable<string> Words(JsonObject schema)
    {
        if ((string?)schema["format"] == "date-time") return ["2026-11-23T10:00:00Z"];
        if ((string?)schema["pattern"] is not { } pattern) return ["", "any text", "\u2603"];
        var longest = new string('a', (int?)schema["maxLength"] ?? 1);
        return Names.Append(longest).Where(word => !StructuralSchema.Errors(schema, JsonValue.Create(word), "").Any());
    }

    static IEnumerable<JsonNode> Lists(string name, JsonObject schema)
    {
        yield return new JsonArray();
        if (ListExamples.TryGetValue(name, out var example)) yield return JsonNode.Parse(example)!;
        if (Item(schema, name) is { } item) yield return new JsonArray(item);
    }

    static JsonNode? Item(JsonObject schema, string name = "") => Valid(name, (JsonObject)schema["items"]!) switch
    {
        [var only] => only.DeepClone(),
        { Count: > 1 } several => several[^1].DeepClone(),
        _ => null,
    };

    static IEnumerable<JsonNode> Maps(string name, JsonObject entry)
    {
        yield return new JsonObject();
        var value = entry["x-kubernetes-int-or-string"] is null && entry["pattern"] is null ? JsonValue.Create("payments") : Valid(name, entry)[1];
        var key = entry["x-kubernetes-int-or-string"] is null ? "team" : "memory";
        yield return new JsonObject { [key] = value.DeepClone() };
        yield return new JsonObject { [key] = value.DeepClone(), ["example.com/tier"] = value.DeepClone() };
    }
}
