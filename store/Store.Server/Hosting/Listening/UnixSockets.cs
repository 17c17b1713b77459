using System.Net;
using System.Net.Sockets;

namespace Store.Server;

/// <summary>Urls such as unix:///run/store.sock, or unixs:// with TLS. As in etcd all that stands behind the slashes is the file's name, relative to the working directory without a leading one.</summary>
static class UnixSockets
{
    public static bool IsUnix(string url) => url.StartsWith("unix://", StringComparison.Ordinal) || url.StartsWith("unixs://", StringComparison.Ordinal);

    /// <summary>Null for other urls.</summary>
    public static EndPoint? EndPointOf(Uri url) =>
        IsUnix(url.OriginalString) ? new UnixDomainSocketEndPoint(url.OriginalString[(url.Scheme.Length + "://".Length)..]) : null;

    /// <summary>A process that was killed leaves its file, and nobody can bind to it again. One that still listens keeps it.</summary>
    public static void RemoveAbandoned(EndPoint endPoint)
    {
        var file = endPoint.ToString()!;
        if (!File.Exists(file)) return;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(endPoint);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(file);
        }
    }
}
