namespace Store.Server;

/// <summary>The contents of all files of one <see cref="TlsOptions"/> at one time; null where none was given.</summary>
sealed record TlsFiles(byte[]? Certificate, byte[]? Key, byte[]? DialCertificate, byte[]? DialKey, byte[]? Authorities, byte[]? Revoked)
{
    /// <exception cref="FlagException">A file is not there or cannot be read.</exception>
    public static TlsFiles Read(TlsOptions options)
    {
        var flag = "--" + options.FlagPrefix;
        return new(
            Contents(flag + "cert-file", options.CertFile),
            Contents(flag + "key-file", options.KeyFile),
            Contents(flag + "client-cert-file", options.DialCertFile),
            Contents(flag + "client-key-file", options.DialKeyFile),
            Contents(flag + "trusted-ca-file", options.TrustedCaFile),
            Contents(options.FlagPrefix.Length == 0 ? "--client-crl-file" : flag + "crl-file", options.CrlFile));
    }

    public bool Same(TlsFiles other) =>
        Same(Certificate, other.Certificate) && Same(Key, other.Key) && Same(DialCertificate, other.DialCertificate) && Same(DialKey, other.DialKey)
        && Same(Authorities, other.Authorities) && Same(Revoked, other.Revoked);

    static bool Same(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

    /// <summary>Null without a path.</summary>
    /// <exception cref="FlagException">The file is not there or cannot be read.</exception>
    public static byte[]? Contents(string flag, string path)
    {
        if (path.Length == 0) return null;
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FlagException($"{flag} {path}: no such file");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FlagException($"{flag} {path}: {exception.Message}");
        }
    }
}
