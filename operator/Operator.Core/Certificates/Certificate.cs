using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s.Models;

namespace Operator.Core;

/// <summary>A certificate and its key as a Secret holds them, and what can be read off them.</summary>
/// <param name="Pem">The certificate, with the intermediate ones behind it if there are any.</param>
/// <param name="KeyPem">Null of an authority whose key is not at hand.</param>
/// <param name="Serial">Hexadecimal, lower case.</param>
/// <param name="Key">Identifies its key (subject key identifier); empty when it does not say.</param>
/// <param name="SignedBy">Identifies the key that signed it (authority key identifier); empty when it does not say.</param>
/// <param name="Names">DNS names and addresses, in order.</param>
public sealed record Certificate(string Pem, string? KeyPem, string Serial, DateTime NotBefore, DateTime NotAfter, string Key, string SignedBy, IReadOnlyList<string> Names)
{
    /// <summary>After two thirds of its life: what is left is enough for a weekend and for those who have to be woken.</summary>
    public DateTime RenewAt => NotBefore + (NotAfter - NotBefore) * 2 / 3;

    /// <summary>What was read off a Secret goes with it: a pass asks many times, and reading is arithmetic.</summary>
    static readonly ConditionalWeakTable<V1Secret, ConcurrentDictionary<(string, string?), Certificate?>> Parsed = [];

    /// <summary>Null when there is none, it cannot be read, or the key is another certificate's.</summary>
    /// <param name="secret">Not to be changed any more.</param>
    /// <param name="certificateEntry">Of the Secret.</param>
    /// <param name="keyEntry">Null when the key is not asked for.</param>
    public static Certificate? Read(V1Secret? secret, string certificateEntry, string? keyEntry) => secret is null
        ? null
        : Parsed.GetOrCreateValue(secret).GetOrAdd((certificateEntry, keyEntry), static (entries, secret) => Parse(secret, entries.Item1, entries.Item2), secret);

    static Certificate? Parse(V1Secret secret, string certificateEntry, string? keyEntry)
    {
        if (OwnedSecret.Text(secret, certificateEntry) is not { } pem) return null;
        var key = keyEntry is null ? null : OwnedSecret.Text(secret, keyEntry);
        try
        {
            using var certificate = key is null ? X509Certificate2.CreateFromPem(pem) : X509Certificate2.CreateFromPem(pem, key);
            return Read(certificate, pem, key);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

#pragma warning disable RS0030 // An address is a value here, and nobody is called.
    public static Certificate Read(X509Certificate2 certificate, string pem, string? key) => new(
        pem, key, certificate.SerialNumber.ToLowerInvariant(), certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime(),
        certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()?.SubjectKeyIdentifier?.ToLowerInvariant() ?? "",
        certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is { } signer ? Convert.ToHexStringLower(signer.Span) : "",
        [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => address.ToString())))]);
#pragma warning restore RS0030
}
