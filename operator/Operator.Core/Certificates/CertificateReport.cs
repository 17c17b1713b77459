using k8s.Models;

namespace Operator.Core;

/// <summary>status.tls: the certificates, and whether members were seen to show them.</summary>
static class CertificateReport
{
    public static TlsStatus? Build(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Status.Tls is not { } latched || view.SecretsRefused is not null) return view.Status.Tls;
        return latched with { Certificates = [.. view.Spec.WithTls().SelectMany(side => Side(diagnosis, side)).DistinctBy(certificate => certificate.Name).OrderBy(certificate => certificate.Name, StringComparer.Ordinal)] };
    }

    static IEnumerable<CertificateStatus> Side(Diagnosis diagnosis, TlsSide side)
    {
        var view = diagnosis.View;
        if (view.Spec.Issuer(side)!.SecretRefs is { } refs)
        {
            foreach (var given in GivenCertificates.Names(view.Spec.Issuer(side)!, side))
            {
                if (Leaf(view.Given.GetValueOrDefault(given)) is not { } leaf) continue;
                yield return Of(given, leaf, given == refs.Member.Name ? diagnosis.Members.Where(member => member.Pod is not null).All(member => Loaded(view, member.Name, side)) : null);
            }

            yield break;
        }

        var name = CertificateNames.Authority(view.Name, side);
        if (Authority.Read(view.Secret(name)) is { } authority) yield return Of(name, authority.Current, loaded: null);
        foreach (var wanted in WantedCertificate.OfAll(diagnosis, side))
        {
            if (Leaf(view.Issued(side, wanted.Secret)) is { } leaf)
                yield return Of(wanted.Secret, leaf, wanted.Member is { } member ? Loaded(view, member, side) : null);
        }
    }

    static CertificateStatus Of(string name, Certificate certificate, bool? loaded) => new()
    {
        Name = name,
        Serial = certificate.Serial,
        NotAfter = certificate.NotAfter,
        RenewAt = new DateTime(certificate.RenewAt.Ticks - certificate.RenewAt.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc),
        Loaded = loaded,
    };

    /// <summary>Whether this member was seen to show the certificate that its Secret holds now, in this pass or before.</summary>
    public static bool Loaded(ClusterView view, MemberName member, TlsSide side)
    {
        if (view.Shown(member, side) is not { Metadata.Name: { } name } secret || Leaf(secret) is not { } leaf) return false;
        return view.Handshakes.GetValueOrDefault((member, side))?.Serial is { } shown
            ? shown == leaf.Serial
            : view.Status.Tls?.Certificates?.Any(before => before.Name == name && before.Serial == leaf.Serial && before.Loaded == true) == true;
    }

    static Certificate? Leaf(V1Secret? secret) => Certificate.Read(secret, CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry);
}
