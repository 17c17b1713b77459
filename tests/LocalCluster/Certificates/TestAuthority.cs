using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LocalCluster;

/// <summary>A certificate authority in a folder: signs certificates and revocation lists, and writes them as files the way secrets are mounted (whole, by rename).</summary>
public sealed class TestAuthority(string name) : IDisposable
{
    readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly CertificateRevocationListBuilder revocations = new();
    X509Certificate2? own;
    int crlNumber;

    public X509Certificate2 Certificate => own ??= MakeOwn();

    public string Pem => Certificate.ExportCertificatePem() + "\n";

    X509Certificate2 MakeOwn()
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(30));
    }

    /// <summary>For 127.0.0.1 and localhost, as server and as client, with its key. Without addresses when <paramref name="hosts"/> says so.</summary>
    public X509Certificate2 Sign(string commonName, TimeSpan? validFor = null, params string[] hosts)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", pair, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts.Length > 0 ? hosts : ["127.0.0.1", "localhost"])
        {
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        var start = DateTimeOffset.UtcNow.AddDays(-1);
        using var signed = request.Create(Certificate, start, validFor is { } time ? DateTimeOffset.UtcNow + time : start.AddDays(10), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(pair);
    }

    public string Revoke(params X509Certificate2[] certificates)
    {
        foreach (var certificate in certificates) revocations.AddEntry(certificate);
        var list = revocations.Build(Certificate, ++crlNumber, DateTimeOffset.UtcNow.AddDays(1), HashAlgorithmName.SHA256, thisUpdate: DateTimeOffset.UtcNow.AddHours(-1));
        return PemEncoding.WriteString("X509 CRL", list) + "\n";
    }

    public void Dispose()
    {
        own?.Dispose();
        key.Dispose();
    }
}
