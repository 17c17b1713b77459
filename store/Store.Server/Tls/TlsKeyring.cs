using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>
/// The certificates, keys, authorities and revocation lists of one kind of connection, as they are on disk now. Every handshake looks at the files anew,
/// so that rotating any of them needs neither a restart nor a signal, and connections that are open stay so.
/// </summary>
/// <remarks>
/// The contents are compared and not the times: a secret mounted by Kubernetes changes by a symbolic link further up, and copies keep times. A few
/// kilobytes from the page cache are nothing beside a handshake's arithmetic.
/// </remarks>
sealed class TlsKeyring
{
    readonly ILogger logger;
    readonly TimeProvider time;
    readonly Lock gate = new();
    TlsFiles files;
    TlsMaterial material;
    string? complaint;

    TlsKeyring(TlsOptions options, TlsFiles files, TimeProvider time, ILogger logger)
    {
        (Options, this.files, this.time, this.logger) = (options, files, time, logger);
        material = TlsMaterial.Read(options, files);
        Suites = options.CipherSuites.IsEmpty ? null : new CipherSuitesPolicy(options.CipherSuites);
    }

    public TlsOptions Options { get; }

    /// <summary>Null: the platform's own.</summary>
    public CipherSuitesPolicy? Suites { get; }

    /// <exception cref="FlagException">A file cannot be used.</exception>
    public static TlsKeyring Open(TlsOptions options, TimeProvider time, ILogger logger)
    {
        var keyring = new TlsKeyring(options, TlsFiles.Read(options), time, logger);
        // Not refused: whoever starts a member again must not lose it to an old certificate, and a new one is taken without another start.
        if (keyring.Expiry(keyring.material) is { } expiry) Log.CertificateOutOfDate(logger, expiry);
        return keyring;
    }

    /// <summary>For the next handshake. Files that do not fit together, as while somebody writes them, leave the last ones that did.</summary>
    public TlsMaterial Current
    {
        get
        {
            lock (gate)
            {
                try
                {
                    Refresh();
                    complaint = null;
                }
                catch (FlagException exception)
                {
                    if (complaint != exception.Message) Log.CertificatesKept(logger, exception.Message);
                    complaint = exception.Message;
                }

                return material;
            }
        }
    }

    void Refresh()
    {
        var read = TlsFiles.Read(Options);
        if (read.Same(files)) return;
        var next = TlsMaterial.Read(Options, read);
        if (Expiry(next) is { } expiry && Expiry(material) is null) throw new FlagException(expiry);
        (files, material) = (read, next);
        Log.CertificatesReloaded(logger, Options.CertFile, next.Served.TargetCertificate.Subject, next.Served.TargetCertificate.NotAfter.ToUniversalTime().ToString("u"));
    }

    string? Expiry(TlsMaterial read)
    {
        var certificate = read.Served.TargetCertificate;
        var now = time.GetUtcNow().UtcDateTime;
        var source = $"--{Options.FlagPrefix}cert-file {Options.CertFile}";
        if (certificate.NotAfter.ToUniversalTime() < now) return $"{source}: the certificate expired at {certificate.NotAfter.ToUniversalTime():u}; put a new one in its place";
        if (certificate.NotBefore.ToUniversalTime() > now) return $"{source}: the certificate is not valid before {certificate.NotBefore.ToUniversalTime():u}; check the clock";
        return null;
    }
}
