namespace Operator.Core;

/// <summary>A certificate that a side needs, where it is not given.</summary>
/// <param name="Secret">Name of the Secret that holds it.</param>
/// <param name="CommonName">Of a client it is the user, where users are known by their certificate.</param>
/// <param name="Names">DNS names and addresses; none for who only dials.</param>
/// <param name="Member">Null for those of the operator and of applications.</param>
public sealed record WantedCertificate(TlsSide Side, string Secret, string CommonName, IReadOnlyList<string> Names, MemberName? Member)
{
    /// <summary>The operator's first, for without it nobody is observed; then what applications wait for.</summary>
    public static IEnumerable<WantedCertificate> Of(Diagnosis diagnosis, TlsSide side) => diagnosis.View.Spec.Issuer(side) is { IsSelfSigned: true } ? OfAll(diagnosis, side) : [];

    /// <summary>Whoever signs them.</summary>
    public static IEnumerable<WantedCertificate> OfAll(Diagnosis diagnosis, TlsSide side)
    {
        var cluster = diagnosis.View.Cluster;
        if (side == TlsSide.Client)
        {
            yield return new WantedCertificate(side, CertificateNames.Operator(cluster.Metadata.Name), "store-operator", [], Member: null);
            yield return new WantedCertificate(side, CertificateNames.Applications(cluster.Metadata.Name), $"{cluster.Metadata.Name}-client", [], Member: null);
        }

        foreach (var member in diagnosis.Members.Where(member => member.Health.State != MemberState.Leaving))
            yield return new WantedCertificate(side, CertificateNames.Member(member.Name, side), member.Name.ToString(), CertificateNames.Of(cluster, member.Name, side), member.Name);
    }
}
