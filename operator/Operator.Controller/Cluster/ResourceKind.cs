using System.Collections.Concurrent;
using System.Reflection;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Where the API server serves a type: read off KubernetesClient's attribute, or off ours for custom resources.</summary>
sealed record ResourceKind(string Group, string Version, string Kind, string Plural)
{
    static readonly ConcurrentDictionary<Type, ResourceKind> Kinds = new();

    public static ResourceKind Of<T>() => Kinds.GetOrAdd(typeof(T), Read);

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The path below the server's address; no namespace means all of them, no name the collection.</summary>
    public string Path(string? @namespace, string? name = null, string? subresource = null)
    {
        var root = Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}";
        var collection = @namespace is null ? $"{root}/{Plural}" : $"{root}/namespaces/{@namespace}/{Plural}";
        return (name, subresource) switch
        {
            (null, _) => collection,
            (_, null) => $"{collection}/{name}",
            _ => $"{collection}/{name}/{subresource}",
        };
    }

    static ResourceKind Read(Type type)
    {
        if (type.GetCustomAttribute<ResourceAttribute>() is { } custom) return new ResourceKind(custom.Group, custom.Version, custom.Kind, custom.Plural);
        var built = type.GetCustomAttribute<KubernetesEntityAttribute>()
            ?? throw new InvalidOperationException($"{type.Name} says nowhere which resource it is");
        return new ResourceKind(built.Group, built.ApiVersion, built.Kind, built.PluralName);
    }
}
