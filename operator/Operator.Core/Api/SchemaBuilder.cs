using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Operator.Core;

/// <summary>The structural schema of a class: type, description, default and limits of each property, in the order written.</summary>
static class SchemaBuilder
{
    public static JsonObject Object(Type type, Func<PropertyInfo, bool>? include = null)
    {
        var schema = new JsonObject { ["type"] = "object" };
        if (type.GetCustomAttribute<DocAttribute>() is { } doc) schema["description"] = doc.Text;
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).OrderBy(property => property.MetadataToken))
        {
            if (property.GetCustomAttribute<JsonPropertyNameAttribute>() is not { } name) continue;
            if (include is not null && !include(property)) continue;
            properties[name.Name] = Property(property);
            if (property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null) required.Add(name.Name);
        }

        schema["properties"] = properties;
        if (required.Count > 0) schema["required"] = required;
        Rules(type, schema);
        return schema;
    }

    static JsonObject Property(PropertyInfo property)
    {
        var schema = OfType(property.PropertyType);
        var doc = property.GetCustomAttribute<DocAttribute>()
            ?? throw new InvalidOperationException($"{property.DeclaringType!.Name}.{property.Name} has no [Doc]");
        schema["description"] = doc.Text;
        if (property.GetCustomAttribute<DefaultAttribute>() is { } fallback)
            schema["default"] = fallback.Value is "{}" ? new JsonObject() : JsonSerializer.SerializeToNode(fallback.Value);
        if (property.GetCustomAttribute<RangeAttribute>() is { } range) (schema["minimum"], schema["maximum"]) = (range.Minimum, range.Maximum);
        if (property.GetCustomAttribute<OneOfAttribute>() is { } choice)
            schema["enum"] = new JsonArray([.. choice.Values.Select(value => JsonSerializer.SerializeToNode(value))]);
        if (property.GetCustomAttribute<PatternAttribute>() is { } pattern)
        {
            schema["pattern"] = pattern.Regex;
            if (pattern.MaxLength > 0) schema["maxLength"] = pattern.MaxLength;
        }

        if (property.GetCustomAttribute<ListMapAttribute>() is { } map)
        {
            schema["x-kubernetes-list-type"] = "map";
            schema["x-kubernetes-list-map-keys"] = new JsonArray([.. map.Keys.Select(key => JsonValue.Create(key))]);
        }

        Rules(property, schema);
        return schema;
    }

    static void Rules(MemberInfo member, JsonObject schema)
    {
        var rules = member.GetCustomAttributes<CelAttribute>()
            .Select(cel => (JsonNode)new JsonObject { ["rule"] = cel.Rule, ["message"] = cel.Message }).ToArray();
        // A property's rules stand beside those of its type.
        var ofType = (schema["x-kubernetes-validations"] as JsonArray)?.Select(rule => rule!.DeepClone()) ?? [];
        if (rules.Length > 0) schema["x-kubernetes-validations"] = new JsonArray([.. ofType, .. rules]);
    }

    static JsonObject OfType(Type declared)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (type == typeof(string)) return new JsonObject { ["type"] = "string" };
        if (type == typeof(bool)) return new JsonObject { ["type"] = "boolean" };
        if (type == typeof(int)) return new JsonObject { ["type"] = "integer", ["format"] = "int32" };
        if (type == typeof(long)) return new JsonObject { ["type"] = "integer", ["format"] = "int64" };
        if (type == typeof(DateTime)) return new JsonObject { ["type"] = "string", ["format"] = "date-time" };
        if (type == typeof(Quantity)) return QuantitySchema();
        if (type == typeof(V1Condition)) return Condition();
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
            return new JsonObject { ["type"] = "array", ["items"] = OfType(type.GetGenericArguments()[0]) };
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = OfType(type.GetGenericArguments()[1]) };
        // Kubernetes' own types are passed on as they are; the API server checks them where they arrive, in the pod's template.
        if (type.Namespace == typeof(V1Condition).Namespace) return new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
        return Object(type);
    }

    static JsonObject QuantitySchema() => new()
    {
        ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "integer" }, new JsonObject { ["type"] = "string" }),
        ["pattern"] = Quantity.Pattern,
        ["x-kubernetes-int-or-string"] = true,
    };

    /// <summary>metav1.Condition: Kubernetes' own type, so its descriptions cannot be attributes of ours.</summary>
    static JsonObject Condition() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["type"] = Text("What the condition is about."),
            ["status"] = new JsonObject { ["type"] = "string", ["description"] = "True, False or Unknown.", ["enum"] = new JsonArray("True", "False", "Unknown") },
            ["reason"] = Text("Why, in one word."),
            ["message"] = Text("Why, in a sentence."),
            ["observedGeneration"] = new JsonObject { ["type"] = "integer", ["format"] = "int64", ["description"] = "The spec's generation that was looked at." },
            ["lastTransitionTime"] = new JsonObject { ["type"] = "string", ["format"] = "date-time", ["description"] = "When status last changed." },
        },
        ["required"] = new JsonArray("type", "status", "reason", "message", "lastTransitionTime"),
    };

    static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };
}
