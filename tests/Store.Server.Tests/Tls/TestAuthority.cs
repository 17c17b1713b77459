using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Store.Server.Tests;

/// <summary>A certificate authority in a folder: signs certificates and revocation lists, and writes them as files the way secrets are mounted (whole, by rename).</summary>
sealed class TestAuthority(string name) : IDisposable
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

/// <summary>Files of certificates in a folder of their own.</summary>
sealed class CertificateFolder : IDisposable
{
    readonly string path = Directory.CreateTempSubdirectory("store-tls-").FullName;

    public string this[string file] => Path.Combine(path, file);

    /// <summary>Replaces the file at once, never half.</summary>
    public string Write(string file, string content)
    {
        File.WriteAllText(this[file + ".new"], content);
        File.Move(this[file + ".new"], this[file], overwrite: true);
        return this[file];
    }

    /// <summary>NAME.crt and NAME.key.</summary>
    public void Write(string name, X509Certificate2 certificate)
    {
        Write(name + ".crt", certificate.ExportCertificatePem() + "\n");
        Write(name + ".key", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>--cert-file and --key-file, with a prefix such as "peer-".</summary>
    public string[] Flags(string name, string prefix = "") => [$"--{prefix}cert-file={this[name + ".crt"]}", $"--{prefix}key-file={this[name + ".key"]}"];

    public void Dispose() => Directory.Delete(path, recursive: true);
}
