namespace Operator.Core;

/// <summary>True when every certificate is there and holds; the message says what is under way. Null without TLS: then there is nothing to say.</summary>
static class CertificatesReadyCondition
{
    public static Verdict? Judge(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (!view.Spec.WithTls().Any()) return null;
        if (view.SecretsRefused is { } refused) return new Verdict("Unknown", "SecretsUnreadable", refused);
        foreach (var side in view.Spec.WithTls())
        {
            if (CertificateRules.Flaw(diagnosis, side) is { } wrong) return new Verdict("False", wrong.Reason, wrong.Message);
        }

        foreach (var wanted in view.Spec.WithTls().SelectMany(side => WantedCertificate.Of(diagnosis, side)))
        {
            if (Certificate.Read(view.Secret(wanted.Secret), CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry) is not { } leaf)
                return new Verdict("False", "Issuing", $"certificate {wanted.Secret} is being signed");
            if (leaf.NotAfter <= view.ObservedAt) return new Verdict("False", "Expired", $"certificate {wanted.Secret} expired at {leaf.NotAfter:u}");
        }

        foreach (var side in view.Spec.WithTls())
        {
            if (view.Status.Tls?.Of(side)?.Rotation is { } rotation) return new Verdict("True", "Rotating", $"the {side.Word()} authority is being replaced ({rotation.Phase}): {rotation.Reason}");
            if (diagnosis.Members.FirstOrDefault(member => member.Ready && !CertificateReport.Loaded(view, member.Name, side)) is { } loading)
                return new Verdict("True", "Loading", $"{loading.Name} has yet to show its {side.Word()} certificate");
        }

        return new Verdict("True", "Issued", "every certificate is there, and each member shows its own");
    }
}
