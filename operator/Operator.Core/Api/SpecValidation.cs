namespace Operator.Core;

/// <summary>The schema's rules once more, for API servers that ignore CEL and for objects stored before a rule existed.</summary>
public static class SpecValidation
{
    /// <summary>Null when the object is fine; else which field is wrong, why, and what to do.</summary>
    public static string? Check(StoreCluster cluster)
    {
        var name = cluster.Metadata.Name;
        var spec = cluster.Spec;
        if (name.Length > 40) return "metadata.name must be at most 40 characters: the names of pods and volumes are made from it";
        if (name.Contains('.', StringComparison.Ordinal)) return "metadata.name must not contain a dot: it is a part of DNS names of one label";
        if (char.IsAsciiDigit(name[0])) return "metadata.name must begin with a letter: Services are named after it";
        if (name.EndsWith("-peers", StringComparison.Ordinal)) return "metadata.name must not end in -peers: another cluster's headless Service could have that name";
        if (spec.Replicas is not (1 or 3 or 5 or 7)) return $"spec.replicas is {spec.Replicas}; use 1, 3, 5 or 7";
        if (!IsQuantity(spec.Storage.Size)) return $"spec.storage.size \"{spec.Storage.Size}\" is not a quantity; write it like 8Gi";
        if (spec.Storage.Size.ToResourceQuantity().ToDecimal() <= 0) return "spec.storage.size must be more than zero";
        return Quantities("spec.resources.requests", spec.Resources?.Requests)
            ?? Quantities("spec.resources.limits", spec.Resources?.Limits)
            ?? RequestsWithinLimits(spec.Resources);
    }

    private static string? Quantities(string path, IReadOnlyDictionary<string, Quantity>? quantities)
    {
        foreach (var (key, quantity) in quantities ?? new Dictionary<string, Quantity>())
        {
            if (!IsQuantity(quantity)) return $"{path}.{key} \"{quantity}\" is not a quantity; write it like 500m or 1Gi";
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

    /// <summary>By hand and not by <see cref="Quantity.Pattern"/>: number, then a suffix that Kubernetes knows.</summary>
    private static bool IsQuantity(Quantity quantity)
    {
        var text = quantity.Text.AsSpan().TrimStart('+');
        var digits = 0;
        var dots = 0;
        var position = 0;
        while (position < text.Length && (char.IsAsciiDigit(text[position]) || text[position] == '.'))
        {
            if (text[position] == '.') dots++;
            else digits++;
            position++;
        }

        return digits > 0 && dots <= 1 && IsSuffix(text[position..].ToString());
    }

    private static bool IsSuffix(string suffix) => suffix switch
    {
        "" or "n" or "u" or "m" or "k" or "M" or "G" or "T" or "P" or "E" => true,
        "Ki" or "Mi" or "Gi" or "Ti" or "Pi" or "Ei" => true,
        _ => suffix[0] is 'e' or 'E' && int.TryParse(suffix[1..], out _),
    };
}
