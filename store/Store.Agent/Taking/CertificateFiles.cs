using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Store.Agent;

/// <summary>Certificates and authorities out of files that are read at every handshake: both are replaced while the agent runs.</summary>
static class CertificateFiles
{
    public static X509Certificate2 Own(string certFile, string keyFile) => Read(certFile, path => X509Certificate2.CreateFromPemFile(path, keyFile));

    public static X509Certificate2Collection Authorities(string caFile) => Read(caFile, path =>
    {
        var found = new X509Certificate2Collection();
        found.ImportFromPemFile(path);
        return found;
    });

    /// <param name="sent">What came with the certificate may stand between it and its authority.</param>
    /// <param name="purpose">That it must be made for, if it says what it was made for; null for any.</param>
    public static bool IsTrusted(X509Certificate2 shown, X509Chain? sent, X509Certificate2Collection authorities, Oid? purpose = null)
    {
        using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true } };
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        if (purpose is not null) chain.ChainPolicy.ApplicationPolicy.Add(purpose);
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        return chain.Build(shown);
    }

    public static T Read<T>(string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new BackupException(BackupFailure.Misconfigured, $"{path}: cannot be read: {e.Message}", e);
        }
    }
}
