using k8s.Models;

namespace Operator.Core;

/// <summary>Certificates of Secrets that somebody else keeps (issuer.secretRefs): they are looked at, and what is wrong with them is said.</summary>
public static class GivenCertificates
{
    /// <summary>Names of the Secrets that have to be read.</summary>
    public static IEnumerable<string> Names(StoreClusterSpec spec) => spec.WithTls().SelectMany(side => Names(spec.Issuer(side)!, side)).Distinct(StringComparer.Ordinal);

    /// <summary>The members' first. To peers the operator shows nothing.</summary>
    public static IEnumerable<string> Names(IssuerSpec issuer, TlsSide side) => issuer.SecretRefs is { } refs
        ? new[] { refs.Member.Name, side == TlsSide.Client ? OfOperator(refs) : refs.Member.Name }.Distinct(StringComparer.Ordinal)
        : [];

    public static string OfOperator(SecretRefsSpec refs) => (refs.Operator ?? refs.Member).Name;

    /// <summary>What is wrong, in one word and in a sentence that says what to do; null when all is well.</summary>
    internal static (string Reason, string Message)? Flaw(Diagnosis diagnosis, TlsSide side)
    {
        var view = diagnosis.View;
        var (issuer, path) = (view.Spec.Issuer(side)!, $"spec.tls.{side.Word()}.issuer.secretRefs");
        foreach (var name in Names(issuer, side))
        {
            if (!view.Given.TryGetValue(name, out var secret)) return ("SecretMissing", $"Secret {name}, which {path} names, does not exist in namespace {view.Namespace}; make it with tls.crt, tls.key and ca.crt");
            if (CertificateFlaws.Of(secret, view.ObservedAt, serves: name == issuer.SecretRefs!.Member.Name) is { } flaw) return flaw;
        }

        return NotFor(view.Given[issuer.SecretRefs!.Member.Name], Hosts(diagnosis));
    }

    /// <summary>The first of these names that a member would be dialled by and refused; null when there is none.</summary>
    /// <param name="secret">With a certificate that has no other flaw.</param>
    internal static (string Reason, string Message)? NotFor(V1Secret secret, IEnumerable<string> hosts)
    {
        var names = Certificate.Read(secret, CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry)!.Names;
        return hosts.FirstOrDefault(host => !names.Any(name => IsFor(name, host))) is { } missing
            ? ("SecretInvalid", $"the certificate in Secret {secret.Metadata.Name} is not for {missing}; it has to be for that name, or for *{missing[missing.IndexOf('.', StringComparison.Ordinal)..]}")
            : null;
    }

    /// <summary>Of those who are there; before there is anybody, of the first.</summary>
    static IEnumerable<string> Hosts(Diagnosis diagnosis) =>
        diagnosis.Members.Select(member => member.Name).DefaultIfEmpty(Numbers.Next(diagnosis.View)).Select(member => member.Host(diagnosis.View.Namespace));

    static bool IsFor(string name, string host) => string.Equals(name, host, StringComparison.OrdinalIgnoreCase)
        || (name.StartsWith("*.", StringComparison.Ordinal) && string.Equals(name[1..], host[host.IndexOf('.', StringComparison.Ordinal)..], StringComparison.OrdinalIgnoreCase));
}
