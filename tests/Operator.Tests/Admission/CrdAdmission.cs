using System.Text.Json.Nodes;
using Operator.Core;

namespace Operator.Tests;

/// <summary>An API server that has the generated definition of StoreCluster.</summary>
/// <param name="cel">Whether it is new enough (1.25) to apply the definition's CEL rules.</param>
sealed class CrdAdmission(bool cel)
{
    static readonly JsonObject Root = (JsonObject)CrdBuilder.Build(typeof(StoreCluster))["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!;

    /// <summary>The schema of spec.</summary>
    public static JsonObject Spec { get; } = (JsonObject)Root["properties"]!["spec"]!;

    public static JsonObject Filled(JsonObject spec) => StructuralSchema.Filled(Spec, spec);

    /// <summary>Null when a StoreCluster with this spec (defaults filled in) is let in; else why not.</summary>
    /// <param name="old">The spec that it has now; null when it is made.</param>
    public string? Refusal(string name, JsonObject spec, JsonObject? old)
    {
        if (StructuralSchema.Errors(Spec, spec, "spec").FirstOrDefault() is { } structural) return structural;
        return cel ? CelRules.Errors(Root, Whole(name, spec), old is null ? null : Whole(name, old), "").FirstOrDefault()?.TrimStart('.') : null;
    }

    static JsonObject Whole(string name, JsonObject spec) => new() { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec.DeepClone() };
}
