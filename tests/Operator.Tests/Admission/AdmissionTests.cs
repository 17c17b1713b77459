using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What gets past an API server with the generated definition, and what the operator says to what should not have.</summary>
public sealed class AdmissionTests
{
    static readonly CrdAdmission Admission = new(cel: true);

    public static TheoryData<string> Fields => [.. SpecField.All.Select(one => one.Name)];

    public static TheoryData<string, string> Wrong => [.. SpecField.Leaves.SelectMany(one => FieldValues.Invalid(one.Schema).Select(value => (one.Name, value.ToJsonString())))];

    [Theory]
    [MemberData(nameof(Fields))]
    public void Every_field_has_values_that_the_schema_lets_in(string name)
    {
        var field = Find(name);
        var values = FieldValues.Valid(field.Path[^1], field.Schema);
        Assert.True(values.Count > 0, $"{name}: nothing in its schema says what it may hold; give {nameof(FieldValues)} an example of it or a word that fits its pattern");
        foreach (var value in values) Assert.Empty(StructuralSchema.Errors(field.Schema, value, name));
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_the_schema_refuses_the_operator_refuses_too_and_names_the_field(string name, string value)
    {
        var spec = CrdAdmission.Filled(Find(name).Set([], JsonNode.Parse(value)));
        Assert.StartsWith(name, Admission.Refusal("orders", spec, old: null), StringComparison.Ordinal);
        var said = Judge(spec);
        Assert.True(said?.StartsWith(name, StringComparison.Ordinal), $"{name} = {value}: the operator says {said ?? "nothing"}");
    }

    static string? Judge(JsonObject spec) => SpecValidation.Check(new StoreCluster
    {
        Metadata = new V1ObjectMeta { Name = "orders", NamespaceProperty = "shop" },
        Spec = KubernetesJson.Deserialize<StoreClusterSpec>(spec.ToJsonString()),
    });

    static SpecField Find(string name) => SpecField.All.Single(field => field.Name == name);
}
