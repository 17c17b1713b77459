namespace Operator.Core;

/// <summary>The schema's rules once more, for API servers that ignore CEL and for objects stored before a rule existed.</summary>
public static class SpecValidation
{
    /// <summary>Null when the object is fine; else which field is wrong, why, and what to do.</summary>
    public static string? Check(StoreCluster cluster)
    {
        var spec = cluster.Spec;
        return Name(cluster.Metadata.Name)
            ?? SchemaLimits.Check(spec, "spec")
            ?? MoreThanZero("spec.storage.size", spec.Storage.Size)
            ?? RequestsWithinLimits("spec.resources", spec.Resources)
            ?? ServerValidation.Check(spec)
            ?? Auth(spec.Auth)
            ?? TlsValidation.Check(cluster)
            ?? BackupValidation.Check(spec)
            ?? BootstrapValidation.Check(cluster)
            ?? PodTemplateValidation.Check(spec.PodTemplate);
    }

    static string? Name(string name)
    {
        if (name.Length > 40) return "metadata.name must be at most 40 characters: the names of pods and volumes are made from it";
        if (name.Contains('.', StringComparison.Ordinal)) return "metadata.name must not contain a dot: it is a part of DNS names of one label";
        if (char.IsAsciiDigit(name[0])) return "metadata.name must begin with a letter: Services are named after it";
        return name.EndsWith("-peers", StringComparison.Ordinal)
            ? "metadata.name must not end in -peers: another cluster's headless Service could have that name"
            : null;
    }

    static string? Auth(AuthSpec? auth)
    {
        if (auth is null) return null;
        if (auth is { Enabled: true, RootSecret: null }) return "spec.auth.rootSecret is missing; name the Secret that holds root's password";
        return auth.RootSecret is { Name: "" } ? "spec.auth.rootSecret.name is empty; name the Secret that holds root's password"
            : auth.RootSecret is { Key: "" } ? "spec.auth.rootSecret.key is empty; name the key of the Secret's data, such as password" : null;
    }

    internal static string? RequestsWithinLimits(string path, ResourcesSpec? resources)
    {
        if (resources?.Requests is null || resources.Limits is null) return null;
        foreach (var (key, request) in resources.Requests)
        {
            if (resources.Limits.TryGetValue(key, out var limit) && request.ToResourceQuantity().ToDecimal() > limit.ToResourceQuantity().ToDecimal())
                return $"{path}.requests.{key} ({request}) is more than its limit ({limit})";
        }

        return null;
    }

    /// <summary>Null also for null: an absent field has its default or needs none.</summary>
    internal static string? MoreThanZero(string path, Quantity? value) =>
        value is { } quantity && quantity.ToResourceQuantity().ToDecimal() <= 0 ? $"{path} must be more than zero" : null;
}
