using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s.Models;

namespace Operator.Core;

/// <summary>What is wrong with a Secret of certificates that the operator has not made: told as the store would see it, before a member has to find out.</summary>
static class CertificateFlaws
{
    const string ServerPurpose = "1.3.6.1.5.5.7.3.1", ClientPurpose = "1.3.6.1.5.5.7.3.2";

    static readonly string[] Entries = [CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry, CertificateSecret.AuthorityEntry];

    /// <summary>A pass asks several times, and signatures are arithmetic: a verdict goes with the Secret, until a date in one of its certificates passes.</summary>
    static readonly ConditionalWeakTable<V1Secret, ConcurrentDictionary<bool, Judged>> Verdicts = [];

    sealed record Judged(string? Why, DateTime From, DateTime Until);

    /// <summary>In one word and in a sentence; null when members and clients would take it.</summary>
    /// <param name="serves">Whether it has to be good for servers, too, and not for clients alone.</param>
    public static (string Reason, string Message)? Of(V1Secret secret, DateTime now, bool serves)
    {
        var name = secret.Metadata.Name;
        if (Entries.FirstOrDefault(entry => OwnedSecret.Text(secret, entry) is null) is { } missing) return ("SecretInvalid", $"Secret {name} has no {missing}; it needs tls.crt, tls.key and ca.crt, in PEM");
        if (Certificate.Read(secret, CertificateSecret.CertificateEntry, keyEntry: null) is null) return ("SecretInvalid", $"tls.crt of Secret {name} is no certificate in PEM");
        if (Certificate.Read(secret, CertificateSecret.AuthorityEntry, keyEntry: null) is null) return ("SecretInvalid", $"ca.crt of Secret {name} is no certificate in PEM");
        if (Certificate.Read(secret, CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry) is not { } leaf)
            return ("SecretInvalid", $"tls.key of Secret {name} is not the key of its tls.crt; it has to be that one, in PEM and without a password");
        if (leaf.NotAfter <= now) return ("Expired", $"the certificate in Secret {name} expired at {leaf.NotAfter:u}");
        if (leaf.NotBefore > now) return ("CertificateUntrusted", $"the certificate in Secret {name} is not valid before {leaf.NotBefore:u}");
        var verdicts = Verdicts.GetOrCreateValue(secret);
        if (verdicts.GetValueOrDefault(serves) is not { } judged || now < judged.From || now >= judged.Until)
            verdicts[serves] = judged = Judge(leaf.Pem, OwnedSecret.Text(secret, CertificateSecret.AuthorityEntry)!, now, serves);
        return judged.Why is { } why ? ("CertificateUntrusted", $"the certificate in Secret {name} {why}") : null;
    }

    /// <summary>As the store judges a handshake (its CertificateCheck): an intermediate authority in ca.crt is enough.</summary>
    static Judged Judge(string pem, string authorities, DateTime now, bool serves)
    {
        X509Certificate2Collection shown = [], trusted = [];
        try
        {
            shown.ImportFromPem(pem);
            trusted.ImportFromPem(authorities);
            var dates = shown.Concat(trusted).SelectMany(certificate => new[] { certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime() }).ToList();
            return new Judged(Untrusted(shown, trusted, now, serves), dates.Where(date => date <= now).DefaultIfEmpty(DateTime.MinValue).Max(), dates.Where(date => date > now).DefaultIfEmpty(DateTime.MaxValue).Min());
        }
        catch (CryptographicException failure)
        {
            return new Judged($"cannot be read to its end: {failure.Message}", DateTime.MinValue, DateTime.MaxValue);
        }
        finally
        {
            foreach (var certificate in shown.Concat(trusted)) certificate.Dispose();
        }
    }

    static string? Untrusted(X509Certificate2Collection shown, X509Certificate2Collection trusted, DateTime now, bool serves)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true, VerificationTime = now };
        chain.ChainPolicy.CustomTrustStore.AddRange(trusted);
        chain.ChainPolicy.ExtraStore.AddRange(shown);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientPurpose));
        if (serves) chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerPurpose));
        if (chain.Build(shown[0])) return null;
        var flaws = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        if (flaws == X509ChainStatusFlags.PartialChain && trusted.Contains(chain.ChainElements[^1].Certificate)) return null;
        const X509ChainStatusFlags Signature = X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.NotSignatureValid;
        if ((flaws & Signature) != X509ChainStatusFlags.NoError) return "is signed by none of the authorities in its ca.crt, nor by intermediate ones in its tls.crt";
        if (flaws.HasFlag(X509ChainStatusFlags.NotTimeValid)) return "has an authority that is not valid now";
        return flaws.HasFlag(X509ChainStatusFlags.NotValidForUsage)
            ? $"is not good for {(serves ? "servers and " : "")}clients; its extended key usage has to name that, or be absent"
            : $"would be refused by members: {string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()).Distinct(StringComparer.Ordinal))}";
    }
}
