using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s.Models;
using Operator.Core;

namespace Operator.Tests;

/// <summary>Somebody else's authority, a person's or cert-manager's: it signs what it is asked to, right or wrong.</summary>
sealed class ForeignAuthority
{
    readonly X509Certificate2 certificate;

    ForeignAuthority(X509Certificate2 certificate) => this.certificate = certificate;

    public string Pem => certificate.ExportCertificatePem() + "\n";

    public static ForeignAuthority Root(DateTime now, int days = 300)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new ForeignAuthority(Authority("CN=root", key).CreateSelfSigned(new DateTimeOffset(now.AddDays(-60)), new DateTimeOffset(now.AddDays(days))));
    }

    /// <summary>Its certificate with other dates: the same name and key.</summary>
    public string PemOf(DateTime from, DateTime until)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        using var again = Authority(certificate.Subject, key).CreateSelfSigned(new DateTimeOffset(from), new DateTimeOffset(until));
        return again.ExportCertificatePem() + "\n";
    }

    /// <summary>An intermediate one, signed by this.</summary>
    public ForeignAuthority Intermediate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = Authority("CN=intermediate", key).Create(certificate, new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter), RandomNumberGenerator.GetBytes(8));
        return new ForeignAuthority(signed.CopyWithPrivateKey(key));
    }

    /// <param name="purposes">Extended key usage; none when null.</param>
    public (string Pem, string KeyPem) Sign(IEnumerable<string> names, DateTime from, DateTime until, string[]? purposes = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=corporate", key, HashAlgorithmName.SHA256);
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) builder.AddIpAddress(address);
            else builder.AddDnsName(name);
        }

        if (names.Any()) request.CertificateExtensions.Add(builder.Build());
        if (purposes is not null) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. purposes.Select(purpose => new Oid(purpose))], critical: false));
        // A serial number is positive.
        byte[] serial = [0x40, .. RandomNumberGenerator.GetBytes(15)];
        using var signed = request.Create(certificate, new DateTimeOffset(from), new DateTimeOffset(until), serial);
        return (signed.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>A Secret with a certificate for these names, good for 30 days.</summary>
    public V1Secret Secret(string secret, DateTime now, params IEnumerable<string> names)
    {
        var (pem, key) = Sign(names, now.AddHours(-1), now.AddDays(30));
        return Secret(secret, pem, key, Pem);
    }

    /// <summary>Entries that are empty are left out.</summary>
    public static V1Secret Secret(string secret, string certificate, string key, string authority) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Metadata = new V1ObjectMeta { Name = secret },
        Data = new Dictionary<string, string>
        {
            [CertificateSecret.CertificateEntry] = certificate,
            [CertificateSecret.KeyEntry] = key,
            [CertificateSecret.AuthorityEntry] = authority,
        }.Where(entry => entry.Value.Length > 0).ToDictionary(entry => entry.Key, entry => Encoding.UTF8.GetBytes(entry.Value)),
    };

    static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        return request;
    }
}
