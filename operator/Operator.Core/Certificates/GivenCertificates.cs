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

        var shown = issuer.SecretRefs!.Member.Name;
        var names = Certificate.Read(view.Given[shown], CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry)!.Names;
        return Hosts(diagnosis).FirstOrDefault(host => !names.Any(name => IsFor(name, host))) is { } missing
            ? ("SecretInvalid", $"the certificate in Secret {shown} is not for {missing}; it has to be for that name, or for *{missing[missing.IndexOf('.', StringComparison.Ordinal)..]}")
            : null;
    }

    /// <summary>Of those who are there; before there is anybody, of the first.</summary>
    static IEnumerable<string> Hosts(Diagnosis diagnosis) =>
        diagnosis.Members.Select(member => member.Name).DefaultIfEmpty(Numbers.Next(diagnosis.View)).Select(member => member.Host(diagnosis.View.Namespace));

    static bool IsFor(string name, string host) => string.Equals(name, host, StringComparison.OrdinalIgnoreCase)
        || (name.StartsWith("*.", StringComparison.Ordinal) && string.Equals(name[1..], host[host.IndexOf('.', StringComparison.Ordinal)..], StringComparison.OrdinalIgnoreCase));
}
