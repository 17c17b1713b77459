using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Store.Server;

/// <summary>
/// A certificate of this member's own making, kept in the data directory as etcd keeps it: fixtures/client or fixtures/peer, cert.pem and key.pem. Made
/// when there is none, or when the one there has expired.
/// </summary>
static class SelfSignedFiles
{
    /// <summary>The options with files in place of the wish for them.</summary>
    /// <exception cref="FlagException">The data directory cannot be written.</exception>
    public static TlsOptions Provide(TlsOptions tls, string dataDirectory, IEnumerable<Uri> urls, TimeProvider time)
    {
        if (!tls.SelfSigned) return tls;
        var folder = Path.Combine(dataDirectory, "fixtures", tls.FlagPrefix.Length == 0 ? "client" : "peer");
        var (cert, key) = (Path.Combine(folder, "cert.pem"), Path.Combine(folder, "key.pem"));
        try
        {
            if (!IsUsable(cert, key, time)) Write(folder, cert, key, urls.Select(url => url.DnsSafeHost).Distinct(), tls.SelfSignedYears, time);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FlagException($"--{tls.FlagPrefix}auto-tls: cannot keep a certificate in {folder}: {exception.Message}");
        }

        return tls with { CertFile = cert, KeyFile = key };
    }

    static bool IsUsable(string cert, string key, TimeProvider time)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(cert, key);
            return certificate.NotAfter.ToUniversalTime() > time.GetUtcNow().UtcDateTime;
        }
        catch (Exception exception) when (exception is IOException or CryptographicException or ArgumentException)
        {
            return false;
        }
    }

    static void Write(string folder, string cert, string key, IEnumerable<string> hosts, int years, TimeProvider time)
    {
        const UnixFileMode onlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(folder, onlyOwner);
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=store", pair, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(CertificateCheck.ServerPurpose), new(CertificateCheck.ClientPurpose)], critical: false));
        request.CertificateExtensions.Add(Names(hosts));
        var now = time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddYears(years));
        // The key first: a certificate without its key is made anew at the next start, never served.
        File.Delete(key);
        using (var file = new FileStream(key, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            file.Write(System.Text.Encoding.ASCII.GetBytes(pair.ExportPkcs8PrivateKeyPem()));
        File.WriteAllText(cert, certificate.ExportCertificatePem());
    }

    static X509Extension Names(IEnumerable<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }

        return names.Build();
    }
}
