using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Store.Server;

/// <summary>What handshakes need, from one reading of all files: never a certificate with another one's key.</summary>
/// <param name="Served">Shown to whoever connects.</param>
/// <param name="Dialled">Shown to whom this member connects.</param>
/// <param name="Authorities">Null: those of the system.</param>
sealed record TlsMaterial(
    SslStreamCertificateContext Served, SslStreamCertificateContext Dialled, X509Certificate2Collection? Authorities, RevocationList Revoked)
{
    /// <exception cref="FlagException">A file cannot be used; the message names its flag and says why.</exception>
    public static TlsMaterial Read(TlsOptions options, TlsFiles files)
    {
        var (flag, name) = (options.FlagPrefix, options.FlagPrefix.Length == 0 ? "client-" : options.FlagPrefix);
        var served = Certificate($"--{flag}cert-file {options.CertFile}", files.Certificate, $"--{flag}key-file {options.KeyFile}", files.Key);
        var dialled = files.DialCertificate is null
            ? served
            : Certificate($"--{flag}client-cert-file {options.DialCertFile}", files.DialCertificate, $"--{flag}client-key-file {options.DialKeyFile}", files.DialKey);
        return new(
            served, dialled,
            files.Authorities is null ? null : AuthoritiesIn($"--{flag}trusted-ca-file {options.TrustedCaFile}", files.Authorities),
            files.Revoked is null ? RevocationList.Empty : InFile($"--{name}crl-file {options.CrlFile}", () => RevocationList.Parse(files.Revoked)));
    }

    /// <summary>The first certificate is the member's own; those that follow are sent with it.</summary>
    /// <param name="certificateSource">Flag and path, for what is said of the file.</param>
    /// <exception cref="FlagException">A file cannot be used.</exception>
    public static SslStreamCertificateContext Certificate(string certificateSource, byte[]? certificateFile, string keySource, byte[]? keyFile)
    {
        var chain = InFile(certificateSource, () => Certificates(certificateFile!));
        var key = InFile(keySource, () => Key(keyFile!));
        try
        {
            var certificate = X509Certificate2.CreateFromPem(chain[0].ExportCertificatePem(), key);
            return SslStreamCertificateContext.Create(certificate, [.. chain.Skip(1)], offline: true);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new FlagException($"{keySource}: not the private key of the certificate in {certificateSource}; give the two that were made together");
        }
    }

    /// <exception cref="FlagException">The file cannot be used.</exception>
    public static X509Certificate2Collection AuthoritiesIn(string source, byte[] file) => InFile(source, () => Certificates(file));

    static X509Certificate2Collection Certificates(byte[] file)
    {
        X509Certificate2Collection certificates = [.. PemFile.Blocks(file).Where(block => block.Label == "CERTIFICATE").Select(block => X509CertificateLoader.LoadCertificate(block.Data))];
        return certificates.Count > 0 ? certificates : throw new FormatException("no certificate in it; PEM is expected");
    }

    static string Key(byte[] file)
    {
        var blocks = PemFile.Blocks(file);
        foreach (var (label, data) in blocks)
            if (label is "PRIVATE KEY" or "RSA PRIVATE KEY" or "EC PRIVATE KEY") return PemEncoding.WriteString(label, data);
        throw new FormatException(blocks.Any(block => block.Label == "ENCRYPTED PRIVATE KEY") ? "the key is encrypted; give it without a password" : "no private key in it; PEM is expected");
    }

    static T InFile<T>(string source, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is FormatException or CryptographicException)
        {
            throw new FlagException($"{source}: {exception.Message}");
        }
    }
}
