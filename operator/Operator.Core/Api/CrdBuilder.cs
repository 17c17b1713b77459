using System.Reflection;
using System.Text.Json.Nodes;

namespace Operator.Core;

/// <summary>Makes a CustomResourceDefinition from an entity class and its attributes: the same class always gives the same text.</summary>
public static class CrdBuilder
{
    /// <summary>Carries a hash of the schema, so that an operator can tell an older CRD in the cluster from the one it was built with.</summary>
    public const string SchemaHashAnnotation = "storecluster.io/schema-hash";

    public static string Yaml<T>() =>
        "# Generated from operator/Operator.Core/Api: change the classes there, then run `make crds`.\n" + YamlText.Write(Build(typeof(T)));

    public static JsonObject Build(Type entity)
    {
        var resource = entity.GetCustomAttribute<ResourceAttribute>()
            ?? throw new InvalidOperationException($"{entity.Name} has no [Resource]");
        var schema = RootSchema(entity);
        return new JsonObject
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["kind"] = "CustomResourceDefinition",
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{resource.Plural}.{resource.Group}",
                ["annotations"] = new JsonObject { [SchemaHashAnnotation] = Fingerprint.Of(schema.ToJsonString()) },
            },
            ["spec"] = new JsonObject
            {
                ["group"] = resource.Group,
                ["names"] = Names(resource),
                ["scope"] = "Namespaced",
                ["versions"] = new JsonArray(Version(entity, resource, schema)),
            },
        };
    }

    static JsonObject RootSchema(Type entity)
    {
        var schema = SchemaBuilder.Object(entity, member => member.Name is "Spec" or "Status");
        schema["required"] = new JsonArray("spec");
        var properties = schema["properties"]!.AsObject();
        properties.Insert(0, "apiVersion", Described("string", "Version of the schema of this object."));
        properties.Insert(1, "kind", Described("string", "Kind of this object."));
        properties.Insert(2, "metadata", new JsonObject { ["type"] = "object" });
        return schema;
    }

    static JsonObject Described(string type, string description) => new() { ["type"] = type, ["description"] = description };

    static JsonObject Names(ResourceAttribute resource) => new()
    {
        ["kind"] = resource.Kind,
        ["listKind"] = resource.Kind + "List",
        ["plural"] = resource.Plural,
        ["singular"] = resource.Kind.ToLowerInvariant(),
        ["shortNames"] = new JsonArray([.. resource.ShortNames.Select(name => JsonValue.Create(name))]),
    };

    static JsonObject Version(Type entity, ResourceAttribute resource, JsonObject schema)
    {
        var subresources = new JsonObject { ["status"] = new JsonObject() };
        if (entity.GetCustomAttribute<ScaleAttribute>() is { } scale)
        {
            subresources["scale"] = new JsonObject
            {
                ["specReplicasPath"] = scale.SpecReplicasPath,
                ["statusReplicasPath"] = scale.StatusReplicasPath,
                ["labelSelectorPath"] = scale.LabelSelectorPath,
            };
        }

        return new JsonObject
        {
            ["name"] = resource.Version,
            ["served"] = true,
            ["storage"] = true,
            ["subresources"] = subresources,
            ["additionalPrinterColumns"] = new JsonArray([.. entity.GetCustomAttributes<PrinterColumnAttribute>().Select(Column)]),
            ["schema"] = new JsonObject { ["openAPIV3Schema"] = schema },
        };
    }

    static JsonObject Column(PrinterColumnAttribute column)
    {
        var node = new JsonObject { ["name"] = column.Name, ["type"] = column.Type, ["jsonPath"] = column.JsonPath };
        if (column.Description is { } description) node["description"] = description;
        // A priority of 0 is the API server's default: written out, it would show as a difference for ever.
        if (column.Priority != 0) node["priority"] = column.Priority;
        return node;
    }
}
