using Microsoft.Extensions.Logging;

namespace Store.Server;

static partial class Log
{
    [LoggerMessage(Level = LogLevel.Error, Message = "the certificate is out of date; connections will fail until it is replaced")]
    public static partial void CertificateOutOfDate(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "certificate files cannot be used; the ones before stay in use")]
    public static partial void CertificatesKept(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "reloaded certificate files")]
    public static partial void CertificatesReloaded(ILogger logger, string certFile, string subject, string notAfter);

    [LoggerMessage(Level = LogLevel.Warning, Message = "rejected connection")]
    public static partial void ConnectionRejected(ILogger logger, string side, string remoteAddr, string reason, int unsaid);

    [LoggerMessage(Level = LogLevel.Information, Message = "a TLS handshake did not come to an end")]
    public static partial void HandshakeUnfinished(ILogger logger, string side, string remoteAddr, long tookMs, string reason, int unsaid);

    [LoggerMessage(Level = LogLevel.Information, Message = "serving client traffic securely")]
    public static partial void ServingSecurely(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "certificates are given but nothing is served with them")]
    public static partial void CertificatesUnused(ILogger logger, string reason);
}
