using System.Net;
using System.Net.Sockets;

namespace Store.Server.Tests;

/// <summary>A wire between members that can be cut, and mended, while both ends live.</summary>
sealed class TcpProxy : IAsyncDisposable
{
    readonly TcpListener listener;
    readonly int target;
    readonly Lock gate = new();
    readonly List<TcpClient> open = [];
    readonly Task accepting;
    bool cut;

    public TcpProxy(int port, int target)
    {
        this.target = target;
        listener = new(IPAddress.Loopback, port);
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>Ends every connection and takes no new one.</summary>
    public void Cut()
    {
        lock (gate)
        {
            cut = true;
            foreach (var client in open) client.Dispose();
            open.Clear();
        }
    }

    public void Mend()
    {
        lock (gate) cut = false;
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true) _ = CarryAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed.
        }
    }

    async Task CarryAsync(TcpClient near)
    {
        using (near)
        using (var far = new TcpClient())
        {
            lock (gate)
            {
                if (cut) return;
                open.AddRange([near, far]);
            }
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, target);
                await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream()), far.GetStream().CopyToAsync(near.GetStream()));
            }
            catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
            {
                // Cut, or one end is gone.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        listener.Stop();
        await accepting;
        listener.Dispose();
    }
}
