using System.Net;
using System.Net.Sockets;

namespace LocalCluster;

/// <summary>
/// Hands out loopback ports that nothing listens on. They come from below the ephemeral range: a port from inside it could be taken by an outgoing
/// connection between our look and the server's bind, and a restarted member wants its old port back. TEST_PORTS="25000-25999" moves the range.
/// </summary>
public static class Ports
{
    static readonly Lock Gate = new();
    static readonly (int First, int Last) Range = ParseRange(Environment.GetEnvironmentVariable("TEST_PORTS") ?? "25000-25999");
    // Test programs that run at the same time start at different places.
    static int next = Range.First + (int)((uint)Environment.ProcessId * 20 % (uint)(Range.Last - Range.First));

    public static int Take()
    {
        lock (Gate)
        {
            for (var tried = Range.First; tried <= Range.Last; tried++)
            {
                var port = next;
                next = next >= Range.Last ? Range.First : next + 1;
                if (IsFree(port))
                    return port;
            }
        }
        throw new InvalidOperationException($"No free port in {Range.First}-{Range.Last}: end what listens there or set TEST_PORTS.");
    }

    static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    static (int First, int Last) ParseRange(string range)
    {
        var parts = range.Split('-');
        return (int.Parse(parts[0]), int.Parse(parts[1]));
    }
}
