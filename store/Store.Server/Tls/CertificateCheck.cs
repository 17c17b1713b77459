using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Store.Server;

/// <summary>Judges the certificate of the other side: authority, dates, purpose, revocation, allowed names.</summary>
static class CertificateCheck
{
    public const string ClientPurpose = "1.3.6.1.5.5.7.3.2", ServerPurpose = "1.3.6.1.5.5.7.3.1";

    /// <summary>For the chain that the handshake builds. Nothing is fetched from elsewhere: a handshake must not wait for strangers.</summary>
    public static X509ChainPolicy Policy(TlsMaterial material, string purpose)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.ApplicationPolicy.Add(new Oid(purpose));
        if (material.Authorities is { } authorities)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }

        return policy;
    }

    /// <summary>Why the certificate is refused; null when it holds.</summary>
    public static string? Refusal(X509Certificate2? certificate, X509Chain? chain, TlsMaterial material, TlsOptions options)
    {
        if (certificate is null || chain is null) return "no certificate was shown, and one is required";
        var whose = $"certificate of \"{certificate.Subject}\" (serial {certificate.SerialNumber.ToLowerInvariant()})";
        if (!IsTrusted(chain, material))
            return $"{whose}: {string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim().TrimEnd('.')).Distinct())}";
        if (chain.ChainElements.FirstOrDefault(element => material.Revoked.Holds(element.Certificate)) is { Certificate: var revoked })
            return ReferenceEquals(revoked, certificate) || revoked.Equals(certificate) ? $"{whose}: revoked" : $"{whose}: its authority \"{revoked.Subject}\" is revoked";
        return NameRefusal(certificate, options) is { } refusal ? $"{whose}: {refusal}" : null;
    }

    /// <summary>
    /// An intermediate authority in the trusted file is enough, as it is for Go: a chain that ends with one is only partial to .NET, and nothing else may be
    /// wrong with it.
    /// </summary>
    static bool IsTrusted(X509Chain chain, TlsMaterial material)
    {
        if (chain.ChainStatus.All(status => status.Status == X509ChainStatusFlags.NoError)) return true;
        return material.Authorities is { } authorities && chain.ChainElements.Count > 0
            && chain.ChainStatus.All(status => status.Status is X509ChainStatusFlags.PartialChain)
            && authorities.Contains(chain.ChainElements[^1].Certificate);
    }

    static string? NameRefusal(X509Certificate2 certificate, TlsOptions options)
    {
        if (options.AllowedCommonNames.Length > 0 && !options.AllowedCommonNames.Contains(ClientCertificateName.Of(certificate).CommonName))
            return $"its common name is not among --{options.FlagPrefix}cert-allowed-cn";
        if (options.AllowedHostNames.Length > 0 && !options.AllowedHostNames.Any(host => certificate.MatchesHostname(host, allowWildcards: true, allowCommonName: false)))
            return $"it is for none of the hosts in --{(options.FlagPrefix.Length == 0 ? "client-" : options.FlagPrefix)}cert-allowed-hostname";
        return null;
    }
}
