using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Store.Server;

/// <summary>
/// Ports that several processes listen on (--socket-reuse-port): the kernel deals new connections out among them. For a process that takes over from another
/// before that has ended; two members that stay on one port each get a part of the other's clients.
/// </summary>
static class PortSharing
{
    // <asm-generic/socket.h>, which x64 and arm64 follow.
    const int SolSocket = 1;
    const int SoReusePort = 15;

    public static void Apply(SocketTransportOptions options) => options.CreateBoundListenSocket = Bind;

    static Socket Bind(EndPoint endPoint)
    {
        if (endPoint is not IPEndPoint address) return SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // As Kestrel has it by default: [::] is for IPv4, too.
            if (address.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.SetRawSocketOption(SolSocket, SoReusePort, BitConverter.GetBytes(1));
            socket.Bind(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
