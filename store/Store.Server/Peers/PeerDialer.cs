using System.Net.Security;
using Store.Raft;

namespace Store.Server;

/// <summary>Opens connections to other members and introduces this one. Retries, with pauses that grow and are never quite the same, are the caller's.</summary>
sealed class PeerDialer(ulong clusterId, NodeId self, IReadOnlyList<string> ownPeerUrls, TlsDialing tls)
{
    static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(3);

    /// <summary>A connection that was let in, or the reason why not. Throws what sockets throw when nobody answers.</summary>
    public async Task<(Stream? Stream, PeerAnswer Answer)> DialAsync(string peerUrl, NodeId to, PeerChannel channel, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(DialTimeout);
        var url = new Uri(peerUrl);
        var stream = await OpenAsync(url, limit.Token);
        try
        {
            var answer = await new PeerHandshake(channel, clusterId, self, to, ownPeerUrls).SendAsync(stream, limit.Token);
            if (stream is SslStream) tls.Accepted(url);
            if (answer.Refusal == PeerRefusal.Welcome) return (stream, answer);
            await stream.DisposeAsync();
            return (null, answer);
        }
        catch (Exception exception)
        {
            await stream.DisposeAsync();
            if (stream is SslStream && exception is IOException) tls.EndedUnanswered(url);
            throw;
        }
    }

    async Task<Stream> OpenAsync(Uri url, CancellationToken cancellationToken)
    {
        var connection = await tls.ConnectAsync(url.Host, url.Port, cancellationToken);
        try
        {
            return url.Scheme == "https" ? await tls.SecureAsync(connection, url, cancellationToken) : connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}

/// <summary>Pauses between attempts: doubling from 20 ms to 1 s, each cut or stretched by up to half so that members do not knock in step.</summary>
struct BackOff
{
    const double FirstMilliseconds = 20;
    const double LongestMilliseconds = 1_000;

    int attempts;

    public void Reset() => attempts = 0;

    public TimeSpan Next()
    {
        var pause = Math.Min(LongestMilliseconds, FirstMilliseconds * Math.Pow(2, attempts++));
        return TimeSpan.FromMilliseconds(pause * (0.5 + Random.Shared.NextDouble()));
    }
}
