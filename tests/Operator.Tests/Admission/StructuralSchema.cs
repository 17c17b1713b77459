using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Operator.Tests;

/// <summary>What every API server does with a structural schema: fills in defaults, and refuses values of the wrong type, outside of a range, a pattern or a list.</summary>
static class StructuralSchema
{
    /// <summary>The value with all defaults, those of filled-in objects too.</summary>
    public static JsonObject Filled(JsonObject schema, JsonObject value)
    {
        var filled = (JsonObject)value.DeepClone();
        foreach (var (name, property) in Properties(schema))
        {
            if (filled[name] is null && property["default"] is { } fallback) filled[name] = fallback.DeepClone();
            if (filled[name] is JsonObject nested) filled[name] = Filled(property, nested);
            else if (filled[name] is JsonArray items && property["items"] is JsonObject item) filled[name] = new JsonArray([.. items.Select(one => one is JsonObject each ? Filled(item, each) : one?.DeepClone())]);
        }

        return filled;
    }

    public static IEnumerable<(string Name, JsonObject Schema)> Properties(JsonObject schema) =>
        (schema["properties"] as JsonObject ?? []).Select(property => (property.Key, (JsonObject)property.Value!));

    /// <summary>Each with the path of the field and what is wrong with it.</summary>
    public static IEnumerable<string> Errors(JsonObject schema, JsonNode? value, string path)
    {
        if (Type(schema, value) is { } mistaken) return [$"{path}: {mistaken}"];
        return value switch
        {
            JsonObject item => OfObject(schema, item, path),
            JsonArray list => OfList(schema, list, path),
            _ => OfScalar(schema, value!).Select(error => $"{path}: {error}"),
        };
    }

    static string? Type(JsonObject schema, JsonNode? value)
    {
        if (schema["x-kubernetes-int-or-string"] is not null) return IsInteger(value) || value?.GetValueKind() == JsonValueKind.String ? null : "must be an integer or a string";
        var type = (string?)schema["type"];
        var fits = type switch
        {
            "object" => value is JsonObject,
            "array" => value is JsonArray,
            "string" => value?.GetValueKind() == JsonValueKind.String,
            "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
            "integer" => IsInteger(value),
            _ => throw new NotSupportedException($"a schema of type {type}"),
        };
        return fits ? null : $"must be of type {type}";
    }

    static bool IsInteger(JsonNode? value) => value?.GetValueKind() == JsonValueKind.Number && long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);

    static IEnumerable<string> OfObject(JsonObject schema, JsonObject item, string path)
    {
        foreach (var name in (schema["required"] as JsonArray ?? []).Select(name => (string)name!))
        {
            if (!item.ContainsKey(name)) yield return $"{path}.{name}: is required";
        }

        if ((int?)schema["maxProperties"] < item.Count) yield return $"{path}: has more than {schema["maxProperties"]} entries";
        var properties = schema["properties"] as JsonObject;
        foreach (var (name, value) in item)
        {
            if ((properties?[name] ?? schema["additionalProperties"]) is not JsonObject property) continue;
            foreach (var error in Errors(property, value, $"{path}.{name}")) yield return error;
        }
    }

    static IEnumerable<string> OfList(JsonObject schema, JsonArray list, string path)
    {
        if ((int?)schema["maxItems"] < list.Count) yield return $"{path}: has more than {schema["maxItems"]} items";
        foreach (var (item, index) in list.Select((item, index) => (item, index)))
        {
            foreach (var error in Errors((JsonObject)schema["items"]!, item, $"{path}[{index}]")) yield return error;
        }

        if (schema["x-kubernetes-list-map-keys"] is not JsonArray keys) yield break;
        var ids = list.Select(item => string.Join('/', keys.Select(key => item?[(string)key!]?.ToJsonString()))).ToList();
        if (ids.Distinct().Count() < ids.Count) yield return $"{path}: two items have the same {string.Join(", ", keys.Select(key => (string)key!))}";
    }

    static IEnumerable<string> OfScalar(JsonObject schema, JsonNode value)
    {
        if (schema["enum"] is JsonArray choices && !choices.Any(choice => JsonNode.DeepEquals(choice, value))) yield return $"is {value.ToJsonString()}, which is none of {choices.ToJsonString()}";
        if (value.GetValueKind() == JsonValueKind.Number)
        {
            var number = decimal.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);
            if (schema["minimum"] is { } minimum && number < decimal.Parse(minimum.ToJsonString(), CultureInfo.InvariantCulture)) yield return $"is less than {minimum}";
            if (schema["maximum"] is { } maximum && number > decimal.Parse(maximum.ToJsonString(), CultureInfo.InvariantCulture)) yield return $"is more than {maximum}";
        }
        else if (value.GetValueKind() == JsonValueKind.String)
        {
            var text = (string)value!;
            if ((int?)schema["maxLength"] < text.Length) yield return $"is longer than {schema["maxLength"]}";
            if ((string?)schema["pattern"] is { } pattern && !Regex.IsMatch(text, pattern.EndsWith('$') ? pattern[..^1] + "\\z" : pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1))) yield return $"does not match {pattern}";
        }
    }
}
