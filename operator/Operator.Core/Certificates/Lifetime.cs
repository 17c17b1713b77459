using System.Globalization;

namespace Operator.Core;

/// <summary>How long certificates last, as specs write it: 2160h, 90m, 3600s.</summary>
public static class Lifetime
{
    /// <summary>Of a leaf of this side.</summary>
    public static TimeSpan OfLeaf(StoreClusterSpec spec, TlsSide side) => Parse(spec.Issuer(side)?.SelfSigned?.Validity ?? SelfSignedSpec.DefaultValidity)!.Value;

    public static TimeSpan OfAuthority(StoreClusterSpec spec, TlsSide side) => Parse(spec.Issuer(side)?.SelfSigned?.AuthorityValidity ?? SelfSignedSpec.DefaultAuthorityValidity)!.Value;

    /// <summary>Null when it is not written so.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count == 0) return null;
        return text[^1] switch
        {
            'h' => TimeSpan.FromHours(count),
            'm' => TimeSpan.FromMinutes(count),
            's' => TimeSpan.FromSeconds(count),
            _ => null,
        };
    }
}
