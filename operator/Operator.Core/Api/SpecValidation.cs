namespace Operator.Core;

/// <summary>The schema's rules once more, for API servers that ignore CEL and for objects stored before a rule existed.</summary>
public static class SpecValidation
{
    /// <summary>Null when the object is fine; else which field is wrong, why, and what to do.</summary>
    public static string? Check(StoreCluster cluster)
    {
        var spec = cluster.Spec;
        return Name(cluster.Metadata.Name)
            ?? Replicas(spec)
            ?? OneOf("spec.deletionPolicy", spec.DeletionPolicy, RetentionSpec.Retain, RetentionSpec.Delete)
            ?? PositiveQuantity("spec.storage.size", spec.Storage.Size)
            ?? Quantities("spec.resources.requests", spec.Resources?.Requests)
            ?? Quantities("spec.resources.limits", spec.Resources?.Limits)
            ?? RequestsWithinLimits(spec.Resources)
            ?? ServerValidation.Check(spec)
            ?? Auth(spec.Auth)
            ?? Placement(spec)
            ?? Lifecycle(spec)
            ?? OneOf("spec.services.client.type", spec.Services.Client.Type, "ClusterIP", "NodePort", "LoadBalancer")
            ?? OneOf("spec.services.client.ipFamilyPolicy", spec.Services.Client.IpFamilyPolicy, "SingleStack", "PreferDualStack", "RequireDualStack")
            ?? PodTemplateValidation.Check(spec.PodTemplate);
    }

    private static string? Name(string name)
    {
        if (name.Length > 40) return "metadata.name must be at most 40 characters: the names of pods and volumes are made from it";
        if (name.Contains('.', StringComparison.Ordinal)) return "metadata.name must not contain a dot: it is a part of DNS names of one label";
        if (char.IsAsciiDigit(name[0])) return "metadata.name must begin with a letter: Services are named after it";
        return name.EndsWith("-peers", StringComparison.Ordinal)
            ? "metadata.name must not end in -peers: another cluster's headless Service could have that name"
            : null;
    }

    private static string? Replicas(StoreClusterSpec spec) =>
        spec.Replicas is 1 or 3 or 5 or 7 ? null : $"spec.replicas is {spec.Replicas}; use 1, 3, 5 or 7";

    private static string? Auth(AuthSpec? auth)
    {
        if (auth is null) return null;
        if (auth is { Enabled: true, RootSecret: null }) return "spec.auth.rootSecret is missing; name the Secret that holds root's password";
        return auth.RootSecret is { Name: "" } ? "spec.auth.rootSecret.name is empty; name the Secret that holds root's password"
            : auth.RootSecret is { Key: "" } ? "spec.auth.rootSecret.key is empty; name the key of the Secret's data, such as password" : null;
    }

    private static string? Placement(StoreClusterSpec spec) =>
        OneOf("spec.topology.hosts", spec.Topology.Hosts, Spread.Preferred, Spread.Required, Spread.Off)
        ?? OneOf("spec.topology.zones.mode", spec.Topology.Zones.Mode, Spread.Preferred, Spread.Required, Spread.Off)
        ?? (spec.Topology.Zones.Key.Length == 0 ? "spec.topology.zones.key is empty; name the label that tells a node's zone" : null);

    private static string? Lifecycle(StoreClusterSpec spec) =>
        OneOf("spec.update.order", spec.Update.Order, UpdateSpec.SafeFirst, UpdateSpec.ByNumber)
        ?? OneOf("spec.update.onFailure", spec.Update.OnFailure, UpdateSpec.Pause, UpdateSpec.Retry, UpdateSpec.Rollback)
        ?? Within("spec.update.soakSeconds", spec.Update.SoakSeconds, 0, 3600)
        ?? Within("spec.update.memberTimeoutSeconds", spec.Update.MemberTimeoutSeconds, 30, 86400)
        ?? Within("spec.healing.diskLostAfterSeconds", spec.Healing.DiskLostAfterSeconds, 0, 86400)
        ?? Within("spec.healing.nodeLostAfterSeconds", spec.Healing.NodeLostAfterSeconds, 10, 86400);

    private static string? Quantities(string path, IReadOnlyDictionary<string, Quantity>? quantities)
    {
        foreach (var (key, quantity) in quantities ?? new Dictionary<string, Quantity>())
        {
            if (!QuantityText.IsQuantity(quantity)) return $"{path}.{key} \"{quantity}\" is not a quantity; write it like 500m or 1Gi";
        }

        return null;
    }

    private static string? RequestsWithinLimits(ResourcesSpec? resources)
    {
        if (resources?.Requests is null || resources.Limits is null) return null;
        foreach (var (key, request) in resources.Requests)
        {
            if (resources.Limits.TryGetValue(key, out var limit) && request.ToResourceQuantity().ToDecimal() > limit.ToResourceQuantity().ToDecimal())
                return $"spec.resources.requests.{key} ({request}) is more than its limit ({limit})";
        }

        return null;
    }

    /// <summary>Null also for null: an absent field has been given its default or needs none.</summary>
    internal static string? OneOf(string path, string? value, params string[] values) =>
        value is null || values.Contains(value) ? null : $"{path} is \"{value}\"; use {string.Join(", ", values[..^1])} or {values[^1]}";

    internal static string? Within(string path, long? value, long minimum, long maximum) =>
        value is null || (value >= minimum && value <= maximum) ? null : $"{path} is {value}; use {minimum} to {maximum}";

    internal static string? PositiveQuantity(string path, Quantity? value)
    {
        if (value is not { } quantity) return null;
        if (!QuantityText.IsQuantity(quantity)) return $"{path} \"{quantity}\" is not a quantity; write it like 8Gi";
        return quantity.ToResourceQuantity().ToDecimal() <= 0 ? $"{path} must be more than zero" : null;
    }
}
