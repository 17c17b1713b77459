namespace Operator.Core;

/// <summary>Labels and annotations that users add, in one order, whatever the order in which they were written: a fingerprint must not change with it.</summary>
static class Additions
{
    /// <summary>Null when there are none, so that an empty map does not show in the object.</summary>
    public static Dictionary<string, string>? Of(IReadOnlyDictionary<string, string>? added) => added is { Count: > 0 } ? Under([], added) : null;

    /// <summary>What the operator says itself comes first and decides.</summary>
    public static Dictionary<string, string> Under(Dictionary<string, string> own, IReadOnlyDictionary<string, string>? added)
    {
        foreach (var (key, value) in (added ?? new Dictionary<string, string>()).OrderBy(pair => pair.Key, StringComparer.Ordinal)) own.TryAdd(key, value);
        return own;
    }
}
