using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cel;
using k8s.Models;

namespace Operator.Tests;

/// <summary>The rules of x-kubernetes-validations, with Kubernetes' quantity library, as an API server of 1.25 and later applies them.</summary>
static class CelRules
{
    sealed record Amount(decimal Value);

    static readonly CelEnvironment TheEnvironment = Environment();
    static readonly Dictionary<string, CelProgramDelegate> Programs = new(StringComparer.Ordinal);

    /// <param name="old">What was there before; null when it is made. Rules that ask for it hold for a change alone.</param>
    public static IEnumerable<string> Errors(JsonObject schema, JsonNode? value, JsonNode? old, string path)
    {
        foreach (var rule in schema["x-kubernetes-validations"] as JsonArray ?? [])
        {
            var text = (string)rule!["rule"]!;
            if (text.Contains("oldSelf", StringComparison.Ordinal) && old is null) continue;
            if (!Holds(text, value, old)) yield return $"{path}: {(string)rule["message"]!}";
        }

        foreach (var (name, property) in StructuralSchema.Properties(schema))
        {
            if (value?[name] is not { } nested) continue;
            foreach (var error in Errors(property, nested, old?[name], $"{path}.{name}")) yield return error;
        }

        if (value is not JsonArray items || schema["items"] is not JsonObject itemSchema) yield break;
        foreach (var error in items.SelectMany((item, index) => Errors(itemSchema, item, null, $"{path}[{index}]"))) yield return error;
    }

    static bool Holds(string rule, JsonNode? value, JsonNode? old)
    {
        lock (Programs)
        {
            if (!Programs.TryGetValue(rule, out var program)) Programs[rule] = program = TheEnvironment.Compile(rule);
            try
            {
                return (bool)program(new Dictionary<string, object?> { ["self"] = Plain(value), ["oldSelf"] = Plain(old) })!;
            }
            catch (FormatException)
            {
                // A rule that cannot be worked out, as of a quantity that is none, does not hold.
                return false;
            }
        }
    }

    static CelEnvironment Environment()
    {
        var environment = new CelEnvironment(null, null);
        environment.RegisterFunction("quantity", [typeof(string)], arguments => new Amount(new ResourceQuantity((string)arguments[0]!).ToDecimal()));
        environment.RegisterFunction("compareTo", [typeof(Amount), typeof(Amount)], arguments => (long)((Amount)arguments[0]!).Value.CompareTo(((Amount)arguments[1]!).Value));
        return environment;
    }

    static object? Plain(JsonNode? value) => value switch
    {
        null => null,
        JsonObject item => item.ToDictionary(pair => pair.Key, pair => Plain(pair.Value)),
        JsonArray list => list.Select(Plain).ToList(),
        _ => value.GetValueKind() switch
        {
            JsonValueKind.String => (string)value!,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => long.Parse(value.ToJsonString(), CultureInfo.InvariantCulture),
        },
    };
}
