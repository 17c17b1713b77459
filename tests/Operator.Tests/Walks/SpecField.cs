using System.Text.Json.Nodes;

namespace Operator.Tests;

/// <summary>A field of the spec as the generated schema has it.</summary>
/// <param name="Path">From spec down, without spec.</param>
sealed record SpecField(IReadOnlyList<string> Path, JsonObject Schema)
{
    public string Name => $"spec.{string.Join('.', Path)}";

    /// <summary>Every field of the schema, objects before what is in them.</summary>
    public static IReadOnlyList<SpecField> All { get; } = [.. Below(CrdAdmission.Spec, [])];

    /// <summary>Fields that hold a value of their own: a scalar, a list, a map.</summary>
    public static IReadOnlyList<SpecField> Leaves { get; } = [.. All.Where(field => !field.Schema.ContainsKey("properties"))];

    /// <summary>A copy of the spec with this field at this value; absent when it is null. Objects on the way are made, with what they require.</summary>
    public JsonObject Set(JsonObject spec, JsonNode? value)
    {
        var changed = (JsonObject)spec.DeepClone();
        var (at, schema) = (changed, CrdAdmission.Spec);
        foreach (var name in Path.SkipLast(1))
        {
            schema = (JsonObject)schema["properties"]![name]!;
            if (at[name] is not JsonObject there)
            {
                if (value is null) return changed;
                at[name] = there = FieldValues.Smallest(schema);
            }

            at = there;
        }

        if (value is null) at.Remove(Path[^1]);
        else at[Path[^1]] = value.DeepClone();
        return changed;
    }

    static IEnumerable<SpecField> Below(JsonObject schema, IReadOnlyList<string> path)
    {
        foreach (var (name, property) in StructuralSchema.Properties(schema))
        {
            IReadOnlyList<string> below = [.. path, name];
            yield return new SpecField(below, property);
            foreach (var field in Below(property, below)) yield return field;
        }
    }
}
