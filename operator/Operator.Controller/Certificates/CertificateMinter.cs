using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Makes keys (P-256) and signs certificates. What is to be signed, and when, is Core's to say.</summary>
static class CertificateMinter
{
    const string ServerPurpose = "1.3.6.1.5.5.7.3.1", ClientPurpose = "1.3.6.1.5.5.7.3.2";

    /// <summary>Clocks of nodes that are behind must not refuse what was signed just now.</summary>
    static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    /// <summary>An authority that signs leaves alone.</summary>
    public static Certificate Authority(string name, TimeSpan validity, DateTime now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Two authorities of one cluster are trusted at once for a while: their names tell them apart for people.
        var request = new CertificateRequest($"CN={name} {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var signed = request.CreateSelfSigned(new DateTimeOffset(now - Skew), new DateTimeOffset(now + validity));
        return Certificate.Read(signed, signed.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>A leaf with its key, for servers and clients alike, as etcd's peers are both. It ends with its authority at the latest.</summary>
    public static (string Pem, string KeyPem) Leaf(Certificate authority, string commonName, IReadOnlyList<string> names, TimeSpan validity, DateTime now)
    {
        using var signer = X509Certificate2.CreateFromPem(authority.Pem, authority.KeyPem);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(ServerPurpose), new(ClientPurpose)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(signer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (names.Count > 0) request.CertificateExtensions.Add(Names(names));
        var (from, until) = (Later(now - Skew, authority.NotBefore), now + validity < authority.NotAfter ? now + validity : authority.NotAfter);
        using var signed = request.Create(signer, new DateTimeOffset(from), new DateTimeOffset(until), Serial());
        return (signed.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>A positive number of 16 bytes (RFC 5280, 4.1.2.2).</summary>
    static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)(serial[0] & 0x7f | 0x40);
        return serial;
    }

    static X509Extension Names(IReadOnlyList<string> names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) builder.AddIpAddress(address);
            else builder.AddDnsName(name);
        }

        return builder.Build();
    }

    static DateTime Later(DateTime one, DateTime other) => one > other ? one : other;
}
